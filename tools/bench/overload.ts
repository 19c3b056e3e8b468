import { join } from 'node:path';
import { Client } from 'pg';
import { startHaproxy } from '../rehearsal/programs/haproxy';
import { table } from '../support/table';
import { pinCpus, pinned } from './cpu-affinity';
import { runAutocannon, runConstantRate } from './load';
import { type BenchOptions, measureInterleaved, threeDigits } from './rounds';
import { cartCookie, ShopBench } from './shop';

/** Minimum goodput at {@link FACTOR} times the peak load, as a fraction of the peak. */
const GOAL = 0.9;
const FACTOR = 3;

/** Maximum p99 latency of a 503, in milliseconds. */
const MAX_REFUSAL_P99 = 250;

/** Enough to saturate the process, but few enough that it sheds no load. */
const CONNECTIONS_AT_PEAK = 40;
const CONNECTIONS = 1_000;

const SECONDS_AT_PEAK = 2;
const SECONDS = 4;

/** Requests in flight that the load balancer allows; below the server's own limit. */
const MAX_IN_FLIGHT = 64;

/** Bottleneck, and where excess requests are rejected. */
const CASES = {
  'database, none': { bottleneck: 'database', refusedBy: 'none', goal: false },
  'database, the process': { bottleneck: 'database', refusedBy: 'the process', goal: true },
  'processor, none': { bottleneck: 'processor', refusedBy: 'none', goal: false },
  'processor, the process': { bottleneck: 'processor', refusedBy: 'the process', goal: true },
  'processor, a balancer': { bottleneck: 'processor', refusedBy: 'a balancer', goal: true },
} as const;

type Case = keyof typeof CASES;

/**
 * Runs the benchmark `overload`: the peak throughput of one shop process, then three times that load. With the bottleneck
 * `database`, each statement takes 50 ms, so that the connection pool is exhausted first. With `processor`, the shop and
 * PostgreSQL share one CPU, as on a small instance. Returns the exit code: 1 if a case with a goal misses it.
 */
export async function benchOverload({ rounds, json }: BenchOptions): Promise<number> {
  const measured = await ShopBench.run(async (bench) => {
    const targets = await open(bench);
    const measurements = Object.entries(targets).map(
      ([name, target]) => [name, () => peakAndOverload(target)] as const,
    );
    return measureInterleaved(Object.fromEntries(measurements) as Record<Case, () => Promise<Overload>>, {
      rounds,
      json,
    });
  });
  const results = Object.entries(measured).map(([name, figures]) => ({ ...CASES[name as Case], ...figures }));
  const missed = results.filter(
    ({ goal, ratio, refusalP99Ms }) => goal && (ratio < GOAL || refusalP99Ms > MAX_REFUSAL_P99),
  );
  console.log(
    json
      ? JSON.stringify({ rounds, factor: FACTOR, divided: pinned, goal: GOAL, results: results.map(asJson) }, null, 2)
      : render(results),
  );
  return missed.length > 0 ? 1 : 0;
}

interface Target {
  readonly url: string;
  readonly cookie: string;
}

async function open(bench: ShopBench): Promise<Record<Case, Target>> {
  const unprotected = { LOAD_SHEDDING: 'false' };
  const slow = await bench.serve('slow');
  const slowUnprotected = await bench.serve('slow', unprotected);
  const fast = await bench.serve('fast');
  const fastUnprotected = await bench.serve('fast', unprotected);
  const balancer = await startHaproxy({
    dir: join(bench.dir, 'haproxy'),
    servers: [fast.process.port],
    maxInFlight: MAX_IN_FLIGHT,
  });
  bench.onClose(() => balancer.stop());
  pinCpus(balancer.pid, 'support');

  const ofSlow = await cartCookie(slow.url);
  const ofFast = await cartCookie(fast.url);
  await slowDown(bench.postgres.url('slow'));
  const cart = (url: string, cookie: string): Target => ({ url: `${url}/api/cart`, cookie });
  return {
    'database, none': cart(slowUnprotected.url, ofSlow),
    'database, the process': cart(slow.url, ofSlow),
    'processor, none': cart(fastUnprotected.url, ofFast),
    'processor, the process': cart(fast.url, ofFast),
    'processor, a balancer': cart(balancer.url, ofFast),
  };
}

/** Delays each read of a cart by 50 ms. */
async function slowDown(database: string): Promise<void> {
  const client = new Client({ connectionString: database });
  await client.connect();
  try {
    await client.query(
      `ALTER TABLE cart_items RENAME TO kept_items;
       CREATE VIEW cart_items AS SELECT kept_items.* FROM kept_items, (SELECT pg_sleep(0.05)) AS slow`,
    );
  } finally {
    await client.end();
  }
}

type Overload = {
  /** Responses per second. */
  readonly peak: number;
  readonly offered: number;
  readonly answeredInTime: number;
  /** Responses in time, as a fraction of the peak. */
  readonly ratio: number;
  readonly refused: number;
  readonly failed: number;
  readonly refusalP50Ms: number;
  readonly refusalP99Ms: number;
};

async function peakAndOverload(target: Target): Promise<Overload> {
  const peak = await runAutocannon({ ...target, connections: CONNECTIONS_AT_PEAK, seconds: SECONDS_AT_PEAK });
  const result = await runConstantRate({ ...target, connections: CONNECTIONS, seconds: SECONDS, rate: FACTOR * peak });
  const { inTime, ...others } = result;
  return { peak, ratio: inTime / peak, answeredInTime: inTime, ...others };
}

type Result = Overload & { readonly bottleneck: string; readonly refusedBy: string; readonly goal: boolean };

/** Keeps the keys that `--json` has always printed. */
function asJson({ bottleneck, offered, ...figures }: Result) {
  return { wall: bottleneck, asked: offered, ...figures };
}

function render(results: readonly Result[]): string {
  const head = [
    'bottleneck',
    'load shedding',
    'peak/s',
    'offered/s',
    'in time/s',
    'of peak',
    'goal',
    '503/s',
    '503 p50, p99 ms',
  ];
  const rows = results.map((one) => [
    one.bottleneck,
    one.refusedBy,
    threeDigits(one.peak),
    threeDigits(one.offered),
    threeDigits(one.answeredInTime),
    `${(one.ratio * 100).toFixed(0)}%`,
    one.goal ? `${GOAL * 100}%` : '-',
    threeDigits(one.refused),
    one.refused > 0 ? `${threeDigits(one.refusalP50Ms)}, ${threeDigits(one.refusalP99Ms)}` : '-',
  ]);
  const note = pinned ? '' : '\nLoad generator and shop shared all CPUs: pinning needs taskset and two CPUs.';
  return `GET /api/cart. "in time": within 1 s of the scheduled send time.\n\n${table(head, rows)}${note}`;
}
