import { join } from 'node:path';
import { Pool } from 'undici';
import { startRedis } from '../rehearsal/programs/redis';
import { table } from '../support/table';
import { pinCpus } from './cpu-affinity';
import { type BenchOptions, measureInterleaved, median, threeDigits } from './rounds';
import { ShopBench } from './shop';

const AT_ONCE = 100;

/** Requests of one measurement. */
const REQUESTS = 500;

/** A new visitor's first product begins a session, which is written to Redis; the cart itself is rows in PostgreSQL. */
const WRITES = { session: 'first product of a visitor (writes a session)', none: 'a further product (writes none)' };

type Write = keyof typeof WRITES;
type Way = `${Write}, ${'with' | 'without'} WAIT, ${'one by one' | 'at once'}`;

/**
 * The bench `wait`: what it costs that a session counts as saved only when a replica of Redis has it, with a real primary and
 * a real replica. There is no goal: it is the price of an acknowledged log-in or cart that outlives the primary.
 */
export async function benchWait(options: BenchOptions): Promise<number> {
  const measured = await ShopBench.run(async (bench) => {
    const primary = await startRedis({ dir: join(bench.dir, 'redis') });
    bench.onClose(() => primary.stop());
    const replica = await startRedis({ dir: join(bench.dir, 'redis-replica'), primaryPort: primary.port });
    bench.onClose(() => replica.stop());
    for (const { pid } of [primary, replica]) pinCpus(pid, 'support');

    const measurements: [Way, () => Promise<{ us: number }>][] = [];
    for (const [wait, minReplicas] of [
      ['without', '0'],
      ['with', '1'],
    ] as const) {
      const redis = { SESSION_STORE: 'redis', REDIS_URL: primary.url, REDIS_MIN_REPLICAS: minReplicas };
      // What is refused would not have been written.
      const { url } = await bench.serve('shop', { ...redis, LOAD_SHEDDING: 'false' });
      const pool = new Pool(url, { connections: AT_ONCE });
      bench.onClose(() => pool.destroy());
      for (const write of ['session', 'none'] as const) {
        for (const [how, inFlight] of Object.entries({ 'one by one': 1, 'at once': AT_ONCE }) as [
          'at once',
          number,
        ][]) {
          measurements.push([`${write}, ${wait} WAIT, ${how}`, () => addTimed(pool, write, inFlight)]);
        }
      }
    }
    return measureInterleaved(Object.fromEntries(measurements) as Record<Way, () => Promise<{ us: number }>>, options);
  });

  const results = (['session', 'none'] as const).flatMap((write) =>
    (['one by one', 'at once'] as const).map((how) => {
      const withoutUs = measured[`${write}, without WAIT, ${how}`].us;
      const withUs = measured[`${write}, with WAIT, ${how}`].us;
      return { write, atOnce: how === 'one by one' ? 1 : AT_ONCE, withoutUs, withUs, ratio: withUs / withoutUs };
    }),
  );
  console.log(options.json ? JSON.stringify({ rounds: options.rounds, results }, null, 2) : render(results));
  return 0;
}

/** Puts a product into the cart of a visitor; returns the cookie of one who had none. */
async function add(pool: Pool, cookie?: string): Promise<string | undefined> {
  const { statusCode, headers, body } = await pool.request({
    method: 'POST',
    path: '/api/cart/items',
    headers: { 'content-type': 'application/json', ...(cookie && { cookie }) },
    body: '{"productId":1,"quantity":1}',
  });
  const text = await body.text();
  if (statusCode !== 200) throw new Error(`an addition to a cart was answered ${statusCode}: ${text}`);
  return [headers['set-cookie'] ?? []].flat()[0]?.split(';')[0];
}

/** Median time until an answer, in microseconds, with so many requests in flight at all times. */
async function addTimed(pool: Pool, write: Write, inFlight: number): Promise<{ us: number }> {
  // A cart holds 99 pieces of a product.
  const cookies = write === 'none' ? await Promise.all(Array.from({ length: REQUESTS / 50 }, () => add(pool))) : [];
  const times: number[] = [];
  let left = REQUESTS;
  const addOn = async () => {
    while (left > 0) {
      left -= 1;
      const began = performance.now();
      await add(pool, cookies[left % cookies.length]);
      times.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, addOn));
  return { us: median(times) * 1000 };
}

interface Result {
  readonly write: Write;
  readonly atOnce: number;
  readonly withoutUs: number;
  readonly withUs: number;
  readonly ratio: number;
}

function render(results: readonly Result[]): string {
  const rows = results.map(({ write, atOnce, withoutUs, withUs, ratio }) => [
    WRITES[write],
    String(atOnce),
    threeDigits(withoutUs),
    threeDigits(withUs),
    `${ratio.toFixed(2)}x, ${withUs >= withoutUs ? '+' : ''}${threeDigits(withUs - withoutUs)} us`,
  ]);
  return table(['POST /api/cart/items', 'at once', 'without WAIT, us', 'with WAIT, us', 'cost'], rows);
}
