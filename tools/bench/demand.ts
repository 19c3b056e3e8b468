import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import autocannon from 'autocannon';
import { type Demand, WORK, type Work } from '../planner/plan/demand';
import { startPostgres } from '../rehearsal/programs/postgres';
import { checkCpuTimes, cpuSeconds, processTree } from '../rehearsal/programs/process-tree';
import { startShop } from '../rehearsal/programs/shop-process';
import { buildApp } from '../support/app-bundle';
import { table } from '../support/table';

const DESCRIPTIONS: Readonly<Record<Work, string>> = {
  catalogue: 'catalogue page or API response, from the cache',
  miss: 'the same from the database (a new search term)',
  session: 'cart of a logged-in user',
  write: 'add to cart or remove from cart',
};

export interface DemandBenchOptions {
  /** Seconds of load per request type. */
  readonly seconds: number;
  readonly json: boolean;
}

/**
 * Runs the benchmark `demand`: CPU time of server and database per request type, read from `/proc`, and peak memory of a server
 * process. Unlike requests per second, CPU time hardly depends on other load on the machine. `npm run plan` uses the results.
 *
 * @throws on systems without /proc
 */
export async function benchDemand(options: DemandBenchOptions): Promise<number> {
  const demand = await measureDemand(options.seconds, (line) => options.json || console.error(`  … ${line}`));
  const rows = WORK.map((work) => [
    DESCRIPTIONS[work],
    demand.server[work].toFixed(3),
    demand.database[work].toFixed(3),
  ]);
  const memory = `Peak memory of a server process: ${demand.processMib.toFixed(0)} MiB.`;
  console.log(
    options.json
      ? JSON.stringify(demand, null, 2)
      : [table(['CPU ms per request', 'server', 'database'], rows), memory].join('\n\n'),
  );
  return 0;
}

const CONNECTIONS = 8;

export async function measureDemand(seconds: number, log: (line: string) => void): Promise<Demand> {
  checkCpuTimes('bench demand');
  const dir = mkdtempSync(join(tmpdir(), 'shop-demand-'));
  const postgres = await startPostgres({ dir: join(dir, 'postgres'), access: 'tls' });
  try {
    await postgres.createDatabase('shop');
    const shop = await startShop({
      bundle: buildApp(join(dir, 'bundle')),
      log: join(dir, 'shop.log'),
      env: {
        DATABASE_URL: postgres.url('shop'),
        SESSION_SECRET: 'only for this measurement, long enough',
        PORT: '0',
        HOST: '127.0.0.1',
        WEB_CONCURRENCY: '1',
        // Other load on the machine must not cause 503s.
        LOAD_SHEDDING: 'false',
      },
    });
    try {
      const url = `http://127.0.0.1:${shop.port}`;
      const cookies: string[] = [];
      // One at a time: the shop sheds concurrent password hashing.
      while (cookies.length < CONNECTIONS) cookies.push(await signUp(url));
      const server: Record<string, number> = {};
      const database: Record<string, number> = {};
      for (const work of WORK) {
        await load(url, work, cookies, Math.min(1, seconds));
        const before = [cpuSeconds(shop.pid), cpuSeconds(postgres.pid)] as const;
        const requests = await load(url, work, cookies, seconds);
        server[work] = ((cpuSeconds(shop.pid) - before[0]) * 1000) / requests;
        database[work] = ((cpuSeconds(postgres.pid) - before[1]) * 1000) / requests;
        log(`${work}: ${requests} requests`);
      }
      return {
        asOf: new Date().toISOString().slice(0, 10),
        command: 'npm run bench -- demand --json',
        machine: `${cpus()[0]?.model.trim()}, Node ${process.versions.node}`,
        server: server as Record<Work, number>,
        database: database as Record<Work, number>,
        processMib: peakMib(shop.pid),
      };
    } finally {
      await shop.stop();
    }
  } finally {
    await postgres.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Sends requests of one type. Returns the number of 2xx responses. */
async function load(url: string, work: Work, cookies: readonly string[], seconds: number): Promise<number> {
  let searches = 0;
  let client = 0;
  const search = () => `/api/products?q=${seconds}-${searches++}`;
  const result = await autocannon({
    url,
    connections: CONNECTIONS,
    duration: seconds,
    setupClient: (one) => one.setRequests(requestsOf(work, search, cookies[client++ % CONNECTIONS] as string)),
  });
  if (result.errors + result.non2xx > 0) {
    throw new Error(`bench demand: ${result.errors + result.non2xx} requests of type "${work}" failed`);
  }
  return result['2xx'];
}

function requestsOf(work: Work, search: () => string, cookie: string): autocannon.Request[] {
  switch (work) {
    case 'catalogue':
      return ['/', '/api/products', '/api/products?page=2', '/products/1', '/products/2'].map((path) => ({ path }));
    case 'miss':
      return [{ setupRequest: (request) => ({ ...request, path: search() }) }];
    case 'session':
      return [{ path: '/api/cart', headers: { cookie } }];
    case 'write': {
      const body = JSON.stringify({ productId: 1, quantity: 1 });
      // Alternating, because a cart line has a maximum quantity.
      return [
        { method: 'POST', path: '/api/cart/items', headers: { cookie, ...JSON_BODY }, body },
        { method: 'DELETE', path: '/api/cart/items/1', headers: { cookie } },
      ];
    }
  }
}

const JSON_BODY = { 'content-type': 'application/json' };

/** Creates a user. Returns the session cookie. */
async function signUp(url: string): Promise<string> {
  const email = `${Math.random().toString(36).slice(2)}@example.com`;
  const response = await fetch(`${url}/api/signup`, {
    method: 'POST',
    headers: JSON_BODY,
    body: JSON.stringify({ email, password: 'correct horse battery' }),
  });
  if (!response.ok) throw new Error(`bench demand: sign-up failed with status ${response.status}`);
  return response.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ');
}

/** Peak resident memory of the largest process in a process tree. */
function peakMib(root: number): number {
  const peaks = processTree(root).map((pid) => {
    const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kib) / 1024;
  });
  return Math.max(...peaks);
}
