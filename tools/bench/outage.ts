import { setTimeout as sleep } from 'node:timers/promises';
import { startPostgres } from '../rehearsal/programs/postgres';
import { freePort } from '../support/processes';
import { table } from '../support/table';
import { ShopBench, userCookie } from './shop';

const PROCESSES = 2;
const VISITORS = 4;

/** What must be served from memory all the time; the visitor's name may be missing on a page. */
const CATALOGUE = ['/', '/products/1', '/api/products', '/api/products/1'];

/** Milliseconds that the slowest answer may take: a request that piles up waits for a second and more. */
const QUICK = 1_000;

export interface OutageOptions {
  /** How long the database is away. */
  readonly seconds: number;
  readonly json: boolean;
}

/** What was answered while the database was away, and after it. Each set has what was seen at least once. */
export interface Outage {
  readonly seconds: number;
  readonly health: readonly string[];
  readonly catalogue: readonly string[];
  readonly checkout: readonly string[];
  readonly requests: number;
  readonly slowestMs: number;
  /** The first checkout of each visitor after the database's return. */
  readonly firstCheckouts: readonly string[];
  /** Whether the processes after it are those from before. */
  readonly sameProcesses: boolean;
}

/**
 * The bench `outage`: PostgreSQL is stopped under traffic, and started again. Returns the exit code: 1 when anything but the
 * catalogue, health and a prompt 503 with `Retry-After` for a checkout was seen, or the first checkout afterwards fails.
 */
export async function benchOutage(options: OutageOptions): Promise<number> {
  if (!options.json) console.error(`  … the database is away for ${options.seconds} s`);
  const seen = await outage(options.seconds);
  const verdicts = checkGoals(seen);
  const ok = verdicts.every(({ met }) => met);
  const rows = verdicts.map(({ what, saw, met }) => [what, saw, met ? 'yes' : 'NO']);
  console.log(options.json ? JSON.stringify({ ...seen, ok }, null, 2) : table(['what', 'seen', 'as it must be'], rows));
  return ok ? 0 : 1;
}

function checkGoals(seen: Outage) {
  const only = (set: readonly string[], wanted: string) => set.length === 1 && set[0] === wanted;
  return [
    { what: '/healthz', saw: seen.health.join(' '), met: only(seen.health, '200') },
    { what: CATALOGUE.join(' '), saw: seen.catalogue.join(' '), met: only(seen.catalogue, '200') },
    { what: 'checkout', saw: seen.checkout.join(' '), met: only(seen.checkout, '503, Retry-After 1') },
    {
      what: `slowest of ${seen.requests} answers`,
      saw: `${Math.round(seen.slowestMs)} ms`,
      met: seen.slowestMs < QUICK,
    },
    { what: 'first checkout afterwards', saw: seen.firstCheckouts.join(' '), met: only(seen.firstCheckouts, '201') },
    { what: 'processes', saw: seen.sameProcesses ? 'the same' : 'others', met: seen.sameProcesses },
  ];
}

/** Lets the database go away for so many seconds while visitors go on. */
export async function outage(seconds: number): Promise<Outage> {
  // As RDS: over TCP and TLS, always at the same address.
  const access = { access: 'tls', port: await freePort() } as const;
  return ShopBench.run(async (bench) => {
    const { url } = await bench.serve('shop', { WEB_CONCURRENCY: String(PROCESSES) });
    const cookies: string[] = [];
    for (let visitor = 0; visitor < VISITORS; visitor += 1) {
      const cookie = await userCookie(url);
      await ask(url, '/api/cart/items', { cookie, body: { productId: 1, quantity: 1 } });
      cookies.push(cookie);
    }
    const before = await processesOf(url);
    // Connections go to the processes in turn: so every process comes to know the catalogue.
    for (const path of CATALOGUE) for (let count = 0; count < 5 * PROCESSES; count += 1) await ask(url, path);

    await bench.postgres.stop();
    const seen = { health: new Set<string>(), catalogue: new Set<string>(), checkout: new Set<string>() };
    let requests = 0;
    let slowestMs = 0;
    const note = async (into: Set<string>, path: string, init?: Ask) => {
      const asked = performance.now();
      const { status, retryAfter } = await ask(url, path, init);
      slowestMs = Math.max(slowestMs, performance.now() - asked);
      requests += 1;
      into.add(status === 503 ? `503, Retry-After ${retryAfter}` : String(status));
    };
    for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(50)) {
      await Promise.all(
        cookies.map(async (cookie) => {
          await note(seen.health, '/healthz');
          for (const path of CATALOGUE) await note(seen.catalogue, path, { cookie });
          await note(seen.checkout, '/api/orders', { cookie, key: 'while away', body: {} });
        }),
      );
    }

    const postgres = await startPostgres({ dir: bench.postgres.dir, ...access });
    bench.onClose(() => postgres.stop());
    const firstCheckouts = new Set<string>();
    for (const cookie of cookies) {
      firstCheckouts.add(String((await ask(url, '/api/orders', { cookie, key: 'after', body: {} })).status));
    }
    const after = await processesOf(url);
    return {
      seconds,
      health: [...seen.health],
      catalogue: [...seen.catalogue],
      checkout: [...seen.checkout],
      requests,
      slowestMs,
      firstCheckouts: [...firstCheckouts],
      sameProcesses: [...before].sort().join() === [...after].sort().join(),
    };
  }, access);
}

interface Ask {
  readonly cookie?: string;
  /** Idempotency key of an order. */
  readonly key?: string;
  /** Makes it a POST. */
  readonly body?: unknown;
}

/** On a connection of its own, as those are what the processes of a server share out. */
async function ask(url: string, path: string, { cookie, key, body }: Ask = {}) {
  const answer = await fetch(url + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      connection: 'close',
      ...(cookie && { cookie }),
      ...(key && { 'idempotency-key': key }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: answer.status, retryAfter: answer.headers.get('retry-after'), text: await answer.text() };
}

/** Ids of the processes that answer, once all have. */
async function processesOf(url: string): Promise<ReadonlySet<number>> {
  const pids = new Set<number>();
  for (const end = Date.now() + 20_000; pids.size < PROCESSES && Date.now() < end; ) {
    pids.add(JSON.parse((await ask(url, '/whoami')).text).pid);
  }
  return pids;
}
