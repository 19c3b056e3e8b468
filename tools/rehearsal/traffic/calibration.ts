import type { Client } from './client';
import { comeBack, visit, type World } from './journeys';
import { type Journey, Shopper } from './shopper';

/** Visitors who act at the same time: enough to use every processor, few enough that no server refuses them. */
const AT_ONCE = 16;

/** Milliseconds until code and caches are warm, and of the measurement after that. */
const WARM_UP = 1_500;
const MEASURED = 2_500;

export interface CalibrationOptions {
  readonly client: Pick<Client, 'send'>;
  readonly addresses: readonly string[];
  readonly world: World;
  /** @default 1500 */
  readonly warmUpMs?: number;
  /** @default 2500 */
  readonly measuredMs?: number;
}

/**
 * Finds how many requests per second of the journeys' mix this machine answers when each visitor sends the next request as soon
 * as the last one is answered. Generator and shop share the processors, so this is the rate at which they have none left.
 *
 * @returns answered requests per second
 */
export async function saturate(options: CalibrationOptions): Promise<number> {
  const { client, addresses, world, warmUpMs = WARM_UP, measuredMs = MEASURED } = options;
  const from = performance.now() + warmUpMs;
  const to = from + measuredMs;
  let answered = 0;
  const walk = async (shopper: Shopper, journey: Journey) => {
    let step = journey.next();
    while (!step.done && performance.now() < to) {
      const answer = await client.send(shopper, step.value);
      const now = performance.now();
      if (answer.outcome === 'ok' && now >= from && now < to) answered += 1;
      step = journey.next(answer);
    }
  };
  const lane = async (_: unknown, index: number) => {
    for (let count = index; performance.now() < to; count += AT_ONCE) {
      const shopper = new Shopper(addresses[count % addresses.length] as string);
      await walk(shopper, visit(shopper, world));
      if (!shopper.ledger.isEmpty) await walk(shopper, comeBack(shopper, world));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return (answered / measuredMs) * 1000;
}
