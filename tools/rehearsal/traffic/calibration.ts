import type { Client } from './client';
import { type JourneyContext, returnVisit, visit } from './journeys';
import { type Journey, Shopper } from './shopper';

/** Concurrent visitors: enough to saturate every processor, and too few to trigger load shedding. */
const CONCURRENCY = 16;

/** Duration of warm-up and measurement in milliseconds. */
const WARM_UP = 1_500;
const MEASURED = 2_500;

export interface CalibrationOptions {
  readonly client: Pick<Client, 'send'>;
  readonly addresses: readonly string[];
  readonly context: JourneyContext;
  /** @default 1500 */
  readonly warmUpMs?: number;
  /** @default 2500 */
  readonly measuredMs?: number;
}

/**
 * Measures this machine's saturation throughput in a closed loop: each visitor sends the next request as soon as the previous
 * one completes. The generator and the shop share the processors.
 *
 * @returns successful requests per second
 */
export async function measureSaturation(options: CalibrationOptions): Promise<number> {
  const { client, addresses, context, warmUpMs = WARM_UP, measuredMs = MEASURED } = options;
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
    for (let count = index; performance.now() < to; count += CONCURRENCY) {
      const shopper = new Shopper(addresses[count % addresses.length] as string);
      await walk(shopper, visit(shopper, context));
      if (!shopper.ledger.isEmpty) await walk(shopper, returnVisit(shopper, context));
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, lane));
  return (answered / measuredMs) * 1000;
}
