import { join } from 'node:path';
import { Pool } from 'undici';
import { startRedis } from '../rehearsal/programs/redis';
import { table } from '../support/table';
import { pinCpus } from './cpu-affinity';
import { type BenchOptions, measureInterleaved, median, threeDigits } from './rounds';
import { ShopBench } from './shop';

const CONCURRENCY = 100;

/** Requests per measurement. */
const REQUESTS = 500;

/** A visitor's first product starts a session, which is written to Redis. The cart itself is in PostgreSQL. */
const WRITES = { session: 'first product (writes a session)', none: 'further product (writes no session)' };

type Write = keyof typeof WRITES;
type Case = `${Write}, ${'with' | 'without'} WAIT, ${'sequential' | 'concurrent'}`;

/**
 * Runs the benchmark `wait`: the latency of Redis `WAIT`, which delays the response until a replica has the session. There is no
 * goal: this is the price of logins and carts that survive a failover.
 */
export async function benchWait(options: BenchOptions): Promise<number> {
  const measured = await ShopBench.run(async (bench) => {
    const primary = await startRedis({ dir: join(bench.dir, 'redis') });
    bench.onClose(() => primary.stop());
    const replica = await startRedis({ dir: join(bench.dir, 'redis-replica'), primaryPort: primary.port });
    bench.onClose(() => replica.stop());
    for (const { pid } of [primary, replica]) pinCpus(pid, 'support');

    const measurements: [Case, () => Promise<{ us: number }>][] = [];
    for (const [wait, minReplicas] of [
      ['without', '0'],
      ['with', '1'],
    ] as const) {
      const redis = { SESSION_STORE: 'redis', REDIS_URL: primary.url, REDIS_MIN_REPLICAS: minReplicas };
      // A rejected request would write nothing.
      const { url } = await bench.serve('shop', { ...redis, LOAD_SHEDDING: 'false' });
      const pool = new Pool(url, { connections: CONCURRENCY });
      bench.onClose(() => pool.destroy());
      for (const write of ['session', 'none'] as const) {
        for (const [mode, inFlight] of Object.entries({ sequential: 1, concurrent: CONCURRENCY }) as [
          'concurrent',
          number,
        ][]) {
          measurements.push([`${write}, ${wait} WAIT, ${mode}`, () => measureAdd(pool, write, inFlight)]);
        }
      }
    }
    return measureInterleaved(Object.fromEntries(measurements) as Record<Case, () => Promise<{ us: number }>>, options);
  });

  const results = (['session', 'none'] as const).flatMap((write) =>
    (['sequential', 'concurrent'] as const).map((mode) => {
      const withoutUs = measured[`${write}, without WAIT, ${mode}`].us;
      const withUs = measured[`${write}, with WAIT, ${mode}`].us;
      return { write, atOnce: mode === 'sequential' ? 1 : CONCURRENCY, withoutUs, withUs, ratio: withUs / withoutUs };
    }),
  );
  console.log(options.json ? JSON.stringify({ rounds: options.rounds, results }, null, 2) : render(results));
  return 0;
}

/** Adds a product to a cart. Returns the session cookie if the response sets one. */
async function add(pool: Pool, cookie?: string): Promise<string | undefined> {
  const { statusCode, headers, body } = await pool.request({
    method: 'POST',
    path: '/api/cart/items',
    headers: { 'content-type': 'application/json', ...(cookie && { cookie }) },
    body: '{"productId":1,"quantity":1}',
  });
  const text = await body.text();
  if (statusCode !== 200) throw new Error(`POST /api/cart/items: status ${statusCode}: ${text}`);
  return [headers['set-cookie'] ?? []].flat()[0]?.split(';')[0];
}

/** Median latency in microseconds with a constant number of requests in flight. */
async function measureAdd(pool: Pool, write: Write, inFlight: number): Promise<{ us: number }> {
  // One cart for every 50 requests, because `MAX_QUANTITY` of app/limits.ts limits a cart's items of a product.
  const cookies = write === 'none' ? await Promise.all(Array.from({ length: REQUESTS / 50 }, () => add(pool))) : [];
  const times: number[] = [];
  let remaining = REQUESTS;
  const addAll = async () => {
    while (remaining > 0) {
      remaining -= 1;
      const began = performance.now();
      await add(pool, cookies[remaining % cookies.length]);
      times.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, addAll));
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
  return table(['POST /api/cart/items', 'concurrency', 'without WAIT, us', 'with WAIT, us', 'cost'], rows);
}
