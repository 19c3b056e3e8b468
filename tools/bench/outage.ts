import { setTimeout as sleep } from 'node:timers/promises';
import { startPostgres } from '../rehearsal/programs/postgres';
import { freePort } from '../support/processes';
import { table } from '../support/table';
import { ShopBench, userCookie } from './shop';

const PROCESSES = 2;
const USERS = 4;

/** Paths that must be served from memory during the outage. Pages may lack the user's name. */
const CATALOGUE = ['/', '/products/1', '/api/products', '/api/products/1'];

/** Maximum latency in milliseconds. A request that queues takes longer than a second. */
const MAX_LATENCY = 1_000;

export interface OutageOptions {
  /** Duration of the outage. */
  readonly seconds: number;
  readonly json: boolean;
}

/** Responses during and after the outage. Each list holds the distinct statuses. */
export interface Outage {
  readonly seconds: number;
  readonly health: readonly string[];
  readonly catalogue: readonly string[];
  readonly checkout: readonly string[];
  readonly requests: number;
  readonly slowestMs: number;
  /** The first checkout of each user after the database is up again. */
  readonly firstCheckouts: readonly string[];
  /** Whether no process restarted. */
  readonly sameProcesses: boolean;
}

/**
 * Runs the benchmark `outage`: stops PostgreSQL under traffic and starts it again. Returns the exit code: 1 unless health checks
 * and catalogue succeeded, checkouts got a prompt 503 with `Retry-After`, and the first checkout afterwards succeeded.
 */
export async function benchOutage(options: OutageOptions): Promise<number> {
  if (!options.json) console.error(`  … database down for ${options.seconds} s`);
  const observed = await outage(options.seconds);
  const checks = checkGoals(observed);
  const ok = checks.every(({ met }) => met);
  const rows = checks.map(({ name, value, met }) => [name, value, met ? 'yes' : 'NO']);
  console.log(
    options.json ? JSON.stringify({ ...observed, ok }, null, 2) : table(['check', 'observed', 'goal met'], rows),
  );
  return ok ? 0 : 1;
}

function checkGoals(observed: Outage) {
  const only = (statuses: readonly string[], expected: string) => statuses.length === 1 && statuses[0] === expected;
  const { health, catalogue, checkout, requests, slowestMs, firstCheckouts, sameProcesses } = observed;
  return [
    { name: '/healthz', value: health.join(' '), met: only(health, '200') },
    { name: CATALOGUE.join(' '), value: catalogue.join(' '), met: only(catalogue, '200') },
    { name: 'checkout', value: checkout.join(' '), met: only(checkout, '503, Retry-After 1') },
    {
      name: `slowest of ${requests} responses`,
      value: `${Math.round(slowestMs)} ms`,
      met: slowestMs < MAX_LATENCY,
    },
    { name: 'first checkout afterwards', value: firstCheckouts.join(' '), met: only(firstCheckouts, '201') },
    { name: 'processes', value: sameProcesses ? 'not restarted' : 'restarted', met: sameProcesses },
  ];
}

/** Stops the database for `seconds` under traffic. */
export async function outage(seconds: number): Promise<Outage> {
  // Like RDS: TCP with TLS, at a fixed address.
  const access = { access: 'tls', port: await freePort() } as const;
  return ShopBench.run(async (bench) => {
    const { url } = await bench.serve('shop', { WEB_CONCURRENCY: String(PROCESSES) });
    const cookies: string[] = [];
    for (let user = 0; user < USERS; user += 1) {
      const cookie = await userCookie(url);
      await send(url, '/api/cart/items', { cookie, body: { productId: 1, quantity: 1 } });
      cookies.push(cookie);
    }
    const before = await processesOf(url);
    // The cluster hands out connections round robin, so every process fills its cache.
    for (const path of CATALOGUE) for (let count = 0; count < 5 * PROCESSES; count += 1) await send(url, path);

    await bench.postgres.stop();
    const statuses = { health: new Set<string>(), catalogue: new Set<string>(), checkout: new Set<string>() };
    let requests = 0;
    let slowestMs = 0;
    const record = async (into: Set<string>, path: string, init?: RequestOptions) => {
      const sentAt = performance.now();
      const { status, retryAfter } = await send(url, path, init);
      slowestMs = Math.max(slowestMs, performance.now() - sentAt);
      requests += 1;
      into.add(status === 503 ? `503, Retry-After ${retryAfter}` : String(status));
    };
    for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(50)) {
      await Promise.all(
        cookies.map(async (cookie) => {
          await record(statuses.health, '/healthz');
          for (const path of CATALOGUE) await record(statuses.catalogue, path, { cookie });
          await record(statuses.checkout, '/api/orders', { cookie, key: 'during the outage', body: {} });
        }),
      );
    }

    const postgres = await startPostgres({ dir: bench.postgres.dir, ...access });
    bench.onClose(() => postgres.stop());
    const firstCheckouts = new Set<string>();
    for (const cookie of cookies) {
      firstCheckouts.add(String((await send(url, '/api/orders', { cookie, key: 'after', body: {} })).status));
    }
    const after = await processesOf(url);
    return {
      seconds,
      health: [...statuses.health],
      catalogue: [...statuses.catalogue],
      checkout: [...statuses.checkout],
      requests,
      slowestMs,
      firstCheckouts: [...firstCheckouts],
      sameProcesses: [...before].sort().join() === [...after].sort().join(),
    };
  }, access);
}

interface RequestOptions {
  readonly cookie?: string;
  /** Idempotency key of an order. */
  readonly key?: string;
  /** Sends a POST instead of a GET. */
  readonly body?: unknown;
}

/** Sends a request on a new connection, because the cluster balances connections and not requests. */
async function send(url: string, path: string, { cookie, key, body }: RequestOptions = {}) {
  const response = await fetch(url + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      connection: 'close',
      ...(cookie && { cookie }),
      ...(key && { 'idempotency-key': key }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, retryAfter: response.headers.get('retry-after'), text: await response.text() };
}

/** Process ids of the server, once each process has responded. */
async function processesOf(url: string): Promise<ReadonlySet<number>> {
  const pids = new Set<number>();
  for (const end = Date.now() + 20_000; pids.size < PROCESSES && Date.now() < end; ) {
    pids.add(JSON.parse((await send(url, '/whoami')).text).pid);
  }
  return pids;
}
