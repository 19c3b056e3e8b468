import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { startRedis } from '../rehearsal/programs/redis';
import { table } from '../support/table';
import type { Bare } from './bare-server';
import { pinCpus, pinned } from './cpu-affinity';
import { runAutocannon } from './load';
import { type BenchOptions, measureInterleaved, threeDigits } from './rounds';
import { ShopBench, startSession, userCookie } from './shop';

const CONNECTIONS = 40;
const SECONDS = 3;

/** Minimum throughput of the shop, as a multiple of bare Express. */
const GOALS = { catalogue: 1.4, sessions: 1 };

/** The same request, sent to both servers. */
interface Contenders {
  readonly path: string;
  readonly shop: { readonly url: string; readonly cookie?: string };
  readonly express: { readonly url: string; readonly cookie?: string };
}

/**
 * Runs the benchmark `catalogue`: one process of the shop, which serves the first catalogue page from its cache, against bare
 * Express 5, which sends the same list from memory with `res.json`. Returns the exit code: 1 if the goal is missed.
 */
export function benchCatalogue(options: BenchOptions): Promise<number> {
  return compareThroughput('catalogue', options, async (bench) => {
    const path = '/api/products';
    const shop = await bench.serve('shop');
    const list = await (await fetch(shop.url + path)).json();
    return { path, shop: { url: shop.url }, express: await startBareServer(bench, { serves: 'list', list }) };
  });
}

/**
 * Runs the benchmark `sessions`: one process of the shop, which reads a session from Redis, against Express 5 with
 * express-session and connect-redis (`disableTouch`). Returns the exit code: 1 if the goal is missed.
 */
export function benchSessions(options: BenchOptions): Promise<number> {
  return compareThroughput('sessions', options, async (bench) => {
    const redis = await startRedis({ dir: join(bench.dir, 'redis') });
    bench.onClose(() => redis.stop());
    pinCpus(redis.pid, 'support');
    const shop = await bench.serve('shop', { SESSION_STORE: 'redis', REDIS_URL: redis.url });
    const { url } = await startBareServer(bench, { serves: 'session', redisUrl: redis.url });
    return {
      path: '/api/me',
      shop: { url: shop.url, cookie: await userCookie(shop.url) },
      express: { url, cookie: await startSession(`${url}/api/login`, {}) },
    };
  });
}

async function compareThroughput(
  name: keyof typeof GOALS,
  options: BenchOptions,
  open: (bench: ShopBench) => Promise<Contenders>,
): Promise<number> {
  const goal = GOALS[name];
  const { shop, express } = await ShopBench.run(async (bench) => {
    const { path, ...sides } = await open(bench);
    const measure =
      ({ url, cookie }: Contenders['shop']) =>
      async () => ({
        rps: await runAutocannon({ url: url + path, cookie, connections: CONNECTIONS, seconds: SECONDS }),
      });
    return measureInterleaved({ express: measure(sides.express), shop: measure(sides.shop) }, options);
  });
  const result = { rounds: options.rounds, divided: pinned, shopRps: shop.rps, expressRps: express.rps, goal };
  const ratio = shop.rps / express.rps;
  const rows = [
    ['bare Express 5', threeDigits(express.rps)],
    ['the shop', threeDigits(shop.rps)],
    ['ratio', `${ratio.toFixed(2)}x (goal: at least ${goal}x)`],
  ];
  console.log(options.json ? JSON.stringify({ ...result, ratio }, null, 2) : table([name, 'responses/s'], rows));
  return ratio >= goal ? 0 : 1;
}

/** Starts the baseline server on the CPUs of the benchmarked processes. */
export async function startBareServer(bench: ShopBench, bare: Bare): Promise<{ url: string; pid: number }> {
  const child = fork(join(__dirname, 'bare-server.ts'), [JSON.stringify(bare)], {
    execArgv: ['--import', 'tsx'],
    env: { PATH: process.env.PATH, NODE_ENV: 'production' },
  });
  const exited = once(child, 'exit');
  bench.onClose(async () => {
    child.kill();
    await exited;
  });
  const ended = exited.then(([code]) => {
    throw new Error(`bare-server.ts exited with code ${code}`);
  });
  const [{ port }] = (await Promise.race([once(child, 'message'), ended])) as [AddressInfo];
  const pid = child.pid as number;
  pinCpus(pid, 'target');
  return { url: `http://127.0.0.1:${port}`, pid };
}
