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

/** The shop answers this many times as often as bare Express. */
const GOALS = { catalogue: 1.4, sessions: 1 };

/** One and the same request to both. */
interface Contest {
  readonly path: string;
  readonly shop: { readonly url: string; readonly cookie?: string };
  readonly express: { readonly url: string; readonly cookie?: string };
}

/**
 * The bench `catalogue`: one process of the shop, which sends the first page of the catalogue from its cache, against a bare
 * Express 5 that has the same list at hand and sends it with `res.json`. Returns the exit code: 1 when the goal is missed.
 */
export function benchCatalogue(options: BenchOptions): Promise<number> {
  return contest('catalogue', options, async (bench) => {
    const path = '/api/products';
    const shop = await bench.serve('shop');
    const list = await (await fetch(shop.url + path)).json();
    return { path, shop: { url: shop.url }, express: await startBareServer(bench, { serves: 'list', list }) };
  });
}

/**
 * The bench `sessions`: one process of the shop, which reads a visitor's session from Redis, against Express 5 with
 * express-session and connect-redis, its touch off. Returns the exit code: 1 when the goal is missed.
 */
export function benchSessions(options: BenchOptions): Promise<number> {
  return contest('sessions', options, async (bench) => {
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

async function contest(
  what: keyof typeof GOALS,
  options: BenchOptions,
  open: (bench: ShopBench) => Promise<Contest>,
): Promise<number> {
  const goal = GOALS[what];
  const { shop, express } = await ShopBench.run(async (bench) => {
    const { path, ...sides } = await open(bench);
    const measure =
      ({ url, cookie }: Contest['shop']) =>
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
  console.log(options.json ? JSON.stringify({ ...result, ratio }, null, 2) : table([what, 'answers a second'], rows));
  return ratio >= goal ? 0 : 1;
}

/** Where what is measured runs. */
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
    throw new Error(`the server to compare with ended with ${code}`);
  });
  const [{ port }] = (await Promise.race([once(child, 'message'), ended])) as [AddressInfo];
  const pid = child.pid as number;
  pinCpus(pid, 'target');
  return { url: `http://127.0.0.1:${port}`, pid };
}
