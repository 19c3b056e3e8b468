import { join } from 'node:path';
import { Client } from 'pg';
import { startHaproxy } from '../rehearsal/programs/haproxy';
import { table } from '../support/table';
import { pinCpus, pinned } from './cpu-affinity';
import { runAutocannon, runConstantRate } from './load';
import { type BenchOptions, measureInterleaved, threeDigits } from './rounds';
import { cartCookie, ShopBench } from './shop';

/** Of what is done at the peak, so much must be left when {@link FACTOR} times that is asked for. */
const GOAL = 0.9;
const FACTOR = 3;

/** Milliseconds within which 99 of 100 refusals must be there. */
const QUICK = 250;

/** Enough to keep the process busy, and few enough that nothing is refused. */
const CONNECTIONS_AT_PEAK = 40;
const CONNECTIONS = 1_000;

const SECONDS_AT_PEAK = 2;
const SECONDS = 4;

/** Requests that the balancer lets the server work on; fewer than the server itself would take. */
const MAX_IN_FLIGHT = 64;

/** What is used up first, and who refuses the excess. */
const WAYS = {
  'database, nobody': { wall: 'database', refusedBy: 'nobody', goal: false },
  'database, the process': { wall: 'database', refusedBy: 'the process', goal: true },
  'processor, nobody': { wall: 'processor', refusedBy: 'nobody', goal: false },
  'processor, the process': { wall: 'processor', refusedBy: 'the process', goal: true },
  'processor, a balancer': { wall: 'processor', refusedBy: 'a balancer', goal: true },
} as const;

type Way = keyof typeof WAYS;

/**
 * The bench `overload`: the peak of one process of the shop, and then three times as many requests, against two walls. With
 * the wall `database`, each statement takes 50 ms, so that connections run out and the processor does not; with `processor`,
 * the shop and PostgreSQL have one between them, as on a small box. Returns the exit code: 1 when a way that is meant to
 * reach the goal misses it.
 */
export async function benchOverload({ rounds, json }: BenchOptions): Promise<number> {
  const measured = await ShopBench.run(async (bench) => {
    const targets = await open(bench);
    const measurements = Object.entries(targets).map(([way, target]) => [way, () => peakAndOverload(target)] as const);
    return measureInterleaved(Object.fromEntries(measurements) as Record<Way, () => Promise<Overload>>, {
      rounds,
      json,
    });
  });
  const results = Object.entries(measured).map(([way, figures]) => ({ ...WAYS[way as Way], ...figures }));
  const missed = results.filter(({ goal, ratio, refusalP99Ms }) => goal && (ratio < GOAL || refusalP99Ms > QUICK));
  console.log(
    json ? JSON.stringify({ rounds, factor: FACTOR, divided: pinned, goal: GOAL, results }, null, 2) : render(results),
  );
  return missed.length > 0 ? 1 : 0;
}

interface Target {
  readonly url: string;
  readonly cookie: string;
}

async function open(bench: ShopBench): Promise<Record<Way, Target>> {
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
    'database, nobody': cart(slowUnprotected.url, ofSlow),
    'database, the process': cart(slow.url, ofSlow),
    'processor, nobody': cart(fastUnprotected.url, ofFast),
    'processor, the process': cart(fast.url, ofFast),
    'processor, a balancer': cart(balancer.url, ofFast),
  };
}

/** Reading a cart takes 50 ms from now on. */
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
  /** Answers a second. */
  readonly peak: number;
  readonly asked: number;
  readonly answeredInTime: number;
  /** Answered in time, of the peak. */
  readonly ratio: number;
  readonly refused: number;
  readonly failed: number;
  readonly refusalP50Ms: number;
  readonly refusalP99Ms: number;
};

async function peakAndOverload(target: Target): Promise<Overload> {
  const peak = await runAutocannon({ ...target, connections: CONNECTIONS_AT_PEAK, seconds: SECONDS_AT_PEAK });
  const arrived = await runConstantRate({ ...target, connections: CONNECTIONS, seconds: SECONDS, rate: FACTOR * peak });
  const { inTime, ...others } = arrived;
  return { peak, ratio: inTime / peak, answeredInTime: inTime, ...others };
}

type Result = Overload & { readonly wall: string; readonly refusedBy: string; readonly goal: boolean };

function render(results: readonly Result[]): string {
  const head = [
    'wall',
    'refused by',
    'peak/s',
    'asked/s',
    'in time/s',
    'of the peak',
    'goal',
    'refused/s',
    'p50, p99 ms',
  ];
  const rows = results.map((one) => [
    one.wall,
    one.refusedBy,
    threeDigits(one.peak),
    threeDigits(one.asked),
    threeDigits(one.answeredInTime),
    `${(one.ratio * 100).toFixed(0)}%`,
    one.goal ? `${GOAL * 100}%` : '-',
    threeDigits(one.refused),
    one.refused > 0 ? `${threeDigits(one.refusalP50Ms)}, ${threeDigits(one.refusalP99Ms)}` : '-',
  ]);
  const placed = pinned ? '' : '\nThe load and the shop shared all processors here: neither had any of its own.';
  return `GET /api/cart; in time is an answer within a second of when the visitor came.\n\n${table(head, rows)}${placed}`;
}
