import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { startRedis } from '../rehearsal/programs/redis';
import { requirePrograms } from '../support/doctor';
import { table } from '../support/table';
import { buildShopAt, type ShopAt } from './against';
import type { Bare } from './bare-server';
import { pinCpus, pinned } from './cpu-affinity';
import { runH2load } from './h2load';
import { MAX_FAILED_SHARE, type Throughput } from './load';
import { type AgainstOptions, measureInterleaved, percent, threeDigits } from './rounds';
import { ShopBench, startSession, userCookie } from './shop';

const CONNECTIONS = 40;
const SECONDS = 3;

/**
 * Minimum throughput of the shop, as a multiple of bare Express. Before Node.js 24, Express loses most of its time to changes of
 * prototypes, which app/http/message-classes.ts avoids. On Node.js 24, `node:http` is only 1.8 times as fast as bare Express.
 */
const GOALS =
  Number.parseInt(process.versions.node, 10) < 24 ? { catalogue: 4, sessions: 2.5 } : { catalogue: 1.4, sessions: 1.1 };

const PATHS = { catalogue: '/api/products', sessions: '/api/me' };

interface Contender {
  readonly url: string;
  readonly cookie?: string;
}

/** Environment of the compared shops: like the bare servers, they log no requests. */
const QUIET = { LOG_LEVEL: 'warn' };

/** The same request, sent to each server. `other` is the shop of `--against`, `logging` is the shop with its request log. */
interface Contenders<T = Contender> {
  readonly express: T;
  /** Express with app/http/message-classes.ts. */
  readonly classes: T;
  readonly node?: T | undefined;
  readonly other?: T | undefined;
  readonly shop: T;
  readonly logging: T;
}

/**
 * Runs the benchmark `catalogue`: one process of the shop, which serves the first catalogue page from its cache, against bare
 * Express 5, which sends the same list from memory with `res.json`. `node:http` with the same bytes shows the ceiling. Returns the
 * exit code: 1 if a goal is missed.
 */
export function benchCatalogue(options: AgainstOptions): Promise<number> {
  return compareThroughput('catalogue', options, async (bench, other) => {
    const shop = await bench.serve('shop', QUIET);
    const response = await fetch(shop.url + PATHS.catalogue, { headers: { 'accept-encoding': 'identity' } });
    const body = await response.text();
    const list = JSON.parse(body);
    return {
      express: await startBareServer(bench, { serves: 'list', list }),
      classes: await startBareServer(bench, { serves: 'list', list, messageClasses: true }),
      node: await startBareServer(bench, { serves: 'bytes', headers: endToEnd(response.headers), body }),
      other: other && (await bench.serve('other', QUIET, other.bundle)),
      shop,
      logging: await bench.serve('logging'),
    };
  });
}

/** Without the headers that `node:http` adds to each response. */
function endToEnd(headers: Headers): Record<string, string> {
  const added = ['connection', 'keep-alive', 'transfer-encoding', 'date'];
  return Object.fromEntries([...headers].filter(([name]) => !added.includes(name)));
}

/**
 * Runs the benchmark `sessions`: one process of the shop, which reads a session from Redis, against Express 5 with
 * express-session and connect-redis (`disableTouch`). Returns the exit code: 1 if a goal is missed.
 */
export function benchSessions(options: AgainstOptions): Promise<number> {
  return compareThroughput('sessions', options, async (bench, other) => {
    const redis = await startRedis({ dir: join(bench.dir, 'redis') });
    bench.onClose(() => redis.stop());
    pinCpus(redis.pid, 'support');
    const serve = async (database: string, env: Readonly<Record<string, string>> = QUIET, bundle = bench.bundle) => {
      const { url } = await bench.serve(database, { SESSION_STORE: 'redis', REDIS_URL: redis.url, ...env }, bundle);
      return { url, cookie: await userCookie(url) };
    };
    const serveBare = async (messageClasses: boolean) => {
      const { url } = await startBareServer(bench, { serves: 'session', redisUrl: redis.url, messageClasses });
      return { url, cookie: await startSession(`${url}/api/login`, {}) };
    };
    return {
      express: await serveBare(false),
      classes: await serveBare(true),
      other: other && (await serve('other', QUIET, other.bundle)),
      shop: await serve('shop'),
      logging: await serve('logging', {}),
    };
  });
}

async function compareThroughput(
  name: keyof typeof GOALS,
  options: AgainstOptions,
  open: (bench: ShopBench, other: ShopAt | undefined) => Promise<Contenders>,
): Promise<number> {
  requirePrograms(`bench ${name}`, name === 'sessions' ? ['h2load', 'redis-server'] : ['h2load']);
  const at = options.against === undefined ? undefined : buildShopAt(options.against);
  const seen = await ShopBench.run(async (bench) => {
    const { express, classes, node, other, shop, logging } = await open(bench, at);
    const measure = ({ url, cookie }: Contender) => {
      return () => runH2load({ url: url + PATHS[name], cookie, connections: CONNECTIONS, seconds: SECONDS });
    };
    return measureInterleaved(
      {
        express: measure(express),
        classes: measure(classes),
        node: node && measure(node),
        other: other && measure(other),
        shop: measure(shop),
        logging: measure(logging),
      },
      options,
    );
  });
  const goal = GOALS[name];
  const ratio = seen.shop.rps / seen.express.rps;
  const against = seen.other && { commit: at?.commit, ...seen.other, ratio: seen.shop.rps / seen.other.rps };
  const result = {
    rounds: options.rounds,
    divided: pinned,
    shopRps: seen.shop.rps,
    nodeVersion: process.version,
    expressRps: seen.express.rps,
    classesRps: seen.classes.rps,
    nodeRps: seen.node?.rps,
    loggingRps: seen.logging.rps,
    failedShare: seen.shop.failedShare,
    maxFailedShare: MAX_FAILED_SHARE,
    against,
    goal,
    ratio,
  };
  console.log(options.json ? JSON.stringify(result, null, 2) : render(name, seen, against));
  return ratio >= goal && seen.shop.failedShare <= MAX_FAILED_SHARE ? 0 : 1;
}

function render(
  name: keyof typeof GOALS,
  { express, classes, node, other, shop, logging }: Contenders<Throughput>,
  against: { readonly commit: string | undefined; readonly ratio: number } | undefined,
): string {
  const row = (title: string, { rps, failedShare }: Throughput) => [
    title,
    threeDigits(rps),
    `${(rps / express.rps).toFixed(2)}x`,
    percent(failedShare),
  ];
  const rows = [
    row('bare Express 5', express),
    row('bare Express 5 with message classes', classes),
    ...(node ? [row('bare node:http', node)] : []),
    ...(other ? [row(`the shop at ${against?.commit}`, other)] : []),
    row('the shop', shop),
    row('the shop with its request log', logging),
    ['goal', '', `at least ${GOALS[name]}x`, `at most ${percent(MAX_FAILED_SHARE)}`],
  ];
  const note = against ? `\nThe shop, as a multiple of ${against.commit}: ${against.ratio.toFixed(2)}x.` : '';
  return `${table([name, 'responses/s', 'vs. Express', 'failed'], rows)}\n\nNode.js ${process.version}${note}`;
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
