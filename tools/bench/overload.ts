import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { startHaproxy } from '../rehearsal/programs/haproxy';
import { requirePrograms } from '../support/doctor';
import { table } from '../support/table';
import { buildShopAt, type ShopAt } from './against';
import { pinCpus, pinned } from './cpu-affinity';
import { runH2load } from './h2load';
import { MAX_FAILED_SHARE, runConstantRate } from './load';
import { type AgainstOptions, measureInterleaved, percent, threeDigits } from './rounds';
import { cartCookie, ShopBench } from './shop';

/** Overload as a multiple of the peak. */
const FACTOR = 3;

/**
 * Minimum goodput under overload, as a fraction of the peak. Refusing takes CPU time. If the processor is the bottleneck and the
 * process itself refuses, at most 83% can remain (decision 082); the goal is the measured 62% minus the noise.
 */
const GOALS = { database: 0.9, process: 0.5, balancer: 0.8 };

/** Maximum p99 latency of a 503, in milliseconds. */
const MAX_REFUSAL_P99 = 250;

/** Enough to saturate the process, but few enough that it sheds no load. */
const CONNECTIONS_AT_PEAK = 40;
const CONNECTIONS = 1_000;

const SECONDS_AT_PEAK = 3;

/** Seconds before the peak is measured, in which an idle server opens its database connections. */
const WARM_UP = 2;

const SECONDS = 4;

/** Requests in flight that the load balancer allows; below the server's own limit. */
const MAX_IN_FLIGHT = 64;

const OWN = 'the process';

interface Target {
  readonly url: string;
  readonly cookie: string;
}

interface Case {
  readonly bottleneck: 'database' | 'processor';
  /** Where excess requests are rejected. */
  readonly refusedBy: string;
  /** Undefined if the case is only shown for comparison. */
  readonly goal: number | undefined;
}

/**
 * Runs the benchmark `overload`: the peak throughput of one shop process, then three times that load. With the bottleneck
 * `database`, each statement takes 50 ms, so that the connection pool is exhausted first. With `processor`, the shop and
 * PostgreSQL share one CPU, as on a small instance. Returns the exit code: 1 if a case with a goal misses it.
 */
export async function benchOverload(options: AgainstOptions): Promise<number> {
  const { rounds, json } = options;
  requirePrograms('bench overload', ['haproxy', 'h2load']);
  const other = options.against === undefined ? undefined : buildShopAt(options.against);
  const results = await ShopBench.run(async (bench) => {
    const cases = await open(bench, other);
    const measure = async (target: Target) => {
      await idle(bench.postgres.url('postgres'));
      return peakAndOverload(target);
    };
    const measurements = cases.map((one) => [nameOf(one), () => measure(one.target)] as const);
    const measured = await measureInterleaved(Object.fromEntries(measurements), options);
    return cases.map(({ target, ...one }) => ({ ...one, ...(measured[nameOf(one)] as Overload) }));
  });
  const missed = results.filter(
    ({ goal, ratio, refusalP99Ms, failedShare }) =>
      goal !== undefined && (ratio < goal || refusalP99Ms > MAX_REFUSAL_P99 || failedShare > MAX_FAILED_SHARE),
  );
  const compared = other ? compare(results, other) : undefined;
  console.log(
    json
      ? JSON.stringify(
          { rounds, factor: FACTOR, divided: pinned, results: results.map(asJson), against: compared },
          null,
          2,
        )
      : render(results, compared),
  );
  return missed.length > 0 ? 1 : 0;
}

function nameOf({ bottleneck, refusedBy }: Case): string {
  return `${bottleneck}, ${refusedBy}`;
}

async function open(bench: ShopBench, other: ShopAt | undefined): Promise<(Case & { readonly target: Target })[]> {
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
  return [
    { bottleneck: 'database', refusedBy: 'none', goal: undefined, target: cart(slowUnprotected.url, ofSlow) },
    { bottleneck: 'database', refusedBy: OWN, goal: GOALS.database, target: cart(slow.url, ofSlow) },
    ...(other ? [await openOther(bench, other, 'database')] : []),
    { bottleneck: 'processor', refusedBy: 'none', goal: undefined, target: cart(fastUnprotected.url, ofFast) },
    { bottleneck: 'processor', refusedBy: OWN, goal: GOALS.process, target: cart(fast.url, ofFast) },
    ...(other ? [await openOther(bench, other, 'processor')] : []),
    { bottleneck: 'processor', refusedBy: 'a balancer', goal: GOALS.balancer, target: cart(balancer.url, ofFast) },
  ];
}

async function openOther(bench: ShopBench, { bundle, commit }: ShopAt, bottleneck: Case['bottleneck']) {
  const database = `other_${bottleneck}`;
  const { url } = await bench.serve(database, {}, bundle);
  const target = cart(url, await cartCookie(url));
  if (bottleneck === 'database') await slowDown(bench.postgres.url(database));
  return { bottleneck, refusedBy: `${OWN} at ${commit}`, goal: undefined, target };
}

function cart(url: string, cookie: string): Target {
  return { url: `${url}/api/cart`, cookie };
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

/** Successive checks without a running statement after which the servers count as idle. */
const IDLE_CHECKS = 10;

/** Milliseconds between two checks. */
const CHECK_INTERVAL = 100;

/** Maximum number of checks. */
const MAX_CHECKS = 1_200;

/** Resolves once no server runs a statement. Without load shedding, a server has a backlog for seconds after the load ends. */
async function idle(database: string): Promise<void> {
  const client = new Client({ connectionString: database });
  await client.connect();
  try {
    for (let check = 0, quiet = 0; quiet < IDLE_CHECKS; check += 1) {
      if (check >= MAX_CHECKS)
        throw new Error(
          `servers still run statements ${(MAX_CHECKS * CHECK_INTERVAL) / 1000} s after the previous case: run again`,
        );
      await sleep(CHECK_INTERVAL);
      const { rowCount } = await client.query(
        `SELECT FROM pg_stat_activity
         WHERE backend_type = 'client backend' AND state <> 'idle' AND pid <> pg_backend_pid() LIMIT 1`,
      );
      quiet = rowCount === 0 ? quiet + 1 : 0;
    }
  } finally {
    await client.end();
  }
}

type Overload = {
  /** Responses per second. */
  readonly peak: number;
  /** Failed requests at the peak load, as a fraction of all. They would lower the peak, and with it the goal. */
  readonly failedShare: number;
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
  const { rps: peak, failedShare } = await runH2load({
    ...target,
    connections: CONNECTIONS_AT_PEAK,
    seconds: SECONDS_AT_PEAK,
    warmUp: WARM_UP,
  });
  const result = await runConstantRate({ ...target, connections: CONNECTIONS, seconds: SECONDS, rate: FACTOR * peak });
  const { inTime, ...others } = result;
  return { peak, failedShare, ratio: inTime / peak, answeredInTime: inTime, ...others };
}

type Result = Case & Overload;

/** Responses in time, as multiples of the other commit's. */
function compare(results: readonly Result[], { commit }: ShopAt) {
  const inTime = (bottleneck: string, refusedBy: string) =>
    results.find((one) => nameOf(one) === `${bottleneck}, ${refusedBy}`)?.answeredInTime as number;
  const ratio = (bottleneck: string) => inTime(bottleneck, OWN) / inTime(bottleneck, `${OWN} at ${commit}`);
  return { commit, database: ratio('database'), processor: ratio('processor') };
}

/** Keeps the names `wall` and `asked` that `--json` has always printed. */
function asJson({ bottleneck, offered, goal, ...figures }: Result) {
  return { wall: bottleneck, asked: offered, goal: goal ?? null, ...figures };
}

function render(results: readonly Result[], compared: ReturnType<typeof compare> | undefined): string {
  const head = [
    'bottleneck',
    'load shedding',
    'peak/s',
    'failed',
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
    percent(one.failedShare),
    threeDigits(one.offered),
    threeDigits(one.answeredInTime),
    `${(one.ratio * 100).toFixed(0)}%`,
    one.goal === undefined ? '-' : `${one.goal * 100}%`,
    threeDigits(one.refused),
    one.refused > 0 ? `${threeDigits(one.refusalP50Ms)}, ${threeDigits(one.refusalP99Ms)}` : '-',
  ]);
  const note = pinned ? '' : '\nLoad generator and shop shared all CPUs: pinning needs taskset and two CPUs.';
  const multiples = compared
    ? `\n\nIn time, as a multiple of ${compared.commit}: database ${compared.database.toFixed(2)}x, processor ${compared.processor.toFixed(2)}x.`
    : '';
  return `GET /api/cart. "failed": at the peak load. "in time": within 1 s of the scheduled send time.

${table(head, rows)}${multiples}${note}`;
}
