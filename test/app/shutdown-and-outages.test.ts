import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { READINESS_GRACE } from '../../lib/constants';
import { type Postgres, startPostgres } from '../../tools/rehearsal/programs/postgres';
import { startShop } from '../../tools/rehearsal/programs/shop-process';
import { freePort } from '../../tools/support/processes';
import {
  eventually,
  isAlive,
  makeUsers,
  PASSWORD,
  retryOn503,
  serverEnv,
  sql,
  TestBed,
  workers,
} from '../support/shop';

let testBed: TestBed;

beforeAll(async () => {
  testBed = await TestBed.open();
});

afterAll(() => testBed?.close());

describe('stopping', () => {
  /** Milliseconds. PostgreSQL cancels a statement that waits for 5 s. A machine that is too slow for that tries again. */
  const LOCK_WAIT = 4_500;

  /** Cart additions that wait for a lock, so that they are reliably in flight. */
  async function inFlight(database: string, url: string, count: number) {
    const body = JSON.stringify({ productId: 1, quantity: 1 });
    const headers = { 'content-type': 'application/json' };
    const add = async () => {
      const answer = await fetch(`${url}/api/cart/items`, { method: 'POST', headers, body });
      await answer.text();
      return { status: answer.status, connection: answer.headers.get('connection') };
    };
    // Opens the database connections first: on a busy machine, connecting can exceed the timeout of the shop.
    await Promise.all(Array.from({ length: count }, add));
    const { Client } = await import('pg');
    for (;;) {
      const lock = new Client({ connectionString: database });
      await lock.connect();
      await lock.query('BEGIN; LOCK TABLE cart_items IN ACCESS EXCLUSIVE MODE');
      const release = () => lock.query('COMMIT').then(() => lock.end());
      const early: unknown[] = [];
      const began = performance.now();
      const answers = Array.from({ length: count }, async () => {
        const answer = await add();
        early.push(answer);
        return answer;
      });
      const isLate = () => early.length > 0 && performance.now() - began > LOCK_WAIT;
      await eventually(async () => {
        if (isLate()) return true;
        expect(early).toEqual([]);
        const [{ waiting }] = await sql(
          database,
          `SELECT count(*)::int AS waiting FROM pg_stat_activity
           WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        );
        return waiting === count;
      });
      if (!isLate()) return { answers: Promise.all(answers), began, release };
      await release();
      await Promise.all(answers);
    }
  }

  test.concurrent.each(['1', '2'])(
    'SIGTERM completes requests in flight and exits with 0, with %s processes',
    async (processes) => {
      const database = await testBed.database();
      for (let inTime = false; !inTime; ) {
        const shop = await testBed.serve(database, { WEB_CONCURRENCY: processes });
        const { answers, began, release } = await inFlight(database, shop.url, 10);
        shop.kill('SIGTERM');
        await eventually(() =>
          fetch(`${shop.url}/healthz`, { headers: { connection: 'close' } }).then(
            () => false,
            () => true,
          ),
        );
        await release();
        inTime = performance.now() - began < LOCK_WAIT;
        const status = inTime ? 200 : expect.any(Number);
        expect(await answers).toEqual(Array(10).fill({ status, connection: 'close' }));
        expect(await shop.exited).toBe(0);
      }
    },
  );

  test.concurrent('a repeated signal counts once, and a later one exits immediately', async () => {
    const database = await testBed.database();
    const shop = await testBed.serve(database);
    const { answers, release } = await inFlight(database, shop.url, 1);
    const outcome = answers.catch(() => 'cut off');
    shop.kill('SIGINT');
    shop.kill('SIGTERM');
    await sleep(1_000);
    expect(isAlive(shop.pid)).toBe(true);
    shop.kill('SIGINT');
    expect(await shop.exited).toBe(1);
    expect(await outcome).toBe('cut off');
    await release();
  });

  test.concurrent('behind a load balancer, readiness fails first, and requests are served until the balancer has noticed', async () => {
    const database = await testBed.database();
    const shop = await testBed.serve(database, { PHASE: '3' });
    const signaledAt = Date.now();
    shop.kill('SIGTERM');
    await eventually(() => fetch(`${shop.url}/readyz`).then(({ status }) => status === 503));
    const answer = async (path: string) => {
      const { status, headers } = await fetch(shop.url + path);
      return [status, headers.get('connection')];
    };
    let served = 0;
    for (let isServing = true; isServing; ) {
      const answers = await Promise.all([answer('/api/products'), answer('/healthz')]).catch(() => undefined);
      isServing = answers !== undefined;
      if (answers !== undefined) served += 1;
      if (answers !== undefined) expect(answers).toEqual(Array(2).fill([200, 'close']));
      await sleep(20);
    }
    // A slow machine may have few responses, but the first refused connection is never early.
    expect(Date.now() - signaledAt).toBeGreaterThanOrEqual(READINESS_GRACE * 1000);
    expect(served).toBeGreaterThan(0);
    expect(await shop.exited).toBe(0);
  });

  test.concurrent.each(['1', '2'])('exits when its parent is killed, with %s processes', async (processes) => {
    const database = await testBed.database();
    const script = `
      const child = require('node:child_process').spawn(process.execPath, [process.argv[1]], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
      child.on('message', ({ port }) => console.log(JSON.stringify({ pid: child.pid, port })));`;
    const parent = spawn(process.execPath, ['-e', script, join(testBed.bundle.dir, 'server.js')], {
      env: { PATH: process.env.PATH, ...serverEnv(database, { WEB_CONCURRENCY: processes }) },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(parent.stdout, 'data');
    const { pid, port } = JSON.parse(String(line)) as { pid: number; port: number };
    const all = [pid, ...(await workers(`http://127.0.0.1:${port}`, Number(processes)))];
    parent.kill('SIGKILL');
    await eventually(() => !all.some(isAlive));
  });

  test.concurrent('workers exit when the primary process is killed', async () => {
    const database = await testBed.database();
    const shop = await testBed.serve(database, { WEB_CONCURRENCY: '2' });
    const pids = await workers(shop.url, 2);
    shop.kill('SIGKILL');
    await eventually(() => !pids.some(isAlive));
  });
});

describe('a database outage', () => {
  let tlsPort: number;

  beforeAll(async () => {
    tlsPort = await freePort();
  });

  test.each(['socket', 'tls'] as const)(
    'over %s: catalogue from the cache, 503 for the rest, sessions kept',
    async (access) => {
      const dir = join(testBed.dir, access);
      const port = access === 'tls' ? tlsPort : undefined;
      const start = (): Promise<Postgres> => startPostgres({ dir, access, port });
      let postgres = await start();
      try {
        await postgres.createDatabase('shop');
        const database = postgres.url();
        const shop = await testBed.serve(database);
        const [email] = await makeUsers(database, 1);
        const visitor = shop.visitor();
        // On a busy machine, the first TLS connection can exceed the timeout of the shop.
        await retryOn503(() => visitor.post('/api/login', { email, password: PASSWORD }));
        await retryOn503(() => visitor.add(1));
        await visitor.get('/');
        await visitor.get('/api/products');
        const sid = visitor.cookies.get('sid');

        await postgres.stop();
        expect((await visitor.get('/healthz')).status).toBe(200);
        expect((await visitor.get('/readyz')).status).toBe(200);
        // Longer than cache entries stay fresh.
        await sleep(3_500);
        for (const path of ['/', '/api/products'])
          expect([path, (await visitor.get(path)).status]).toEqual([path, 200]);
        expect((await visitor.get('/api/products?q=never+cached')).status).toBe(503);
        for (const answer of [await visitor.order('mine'), await visitor.add(1), await visitor.get('/api/me')]) {
          expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
          expect(answer.json.error.code).toBe('unavailable');
        }
        const page = await visitor.get('/cart');
        expect([page.status, page.headers.get('content-type')]).toEqual([503, 'text/html; charset=utf-8']);
        const stranger = await shop.visitor().add(1);
        expect(stranger.status).toBe(503);
        expect(visitor.cookies.get('sid')).toBe(sid);
        expect(isAlive(shop.pid)).toBe(true);
        // Each start uses a new socket folder.
        if (access === 'socket') return;

        postgres = await start();
        await eventually(async () => (await visitor.order('mine')).status === 201);
        expect((await visitor.get('/api/me')).json.email).toBe(email);
        expect((await visitor.get('/api/orders')).json.items).toHaveLength(1);
        await eventually(async () => (await visitor.get('/api/orders')).json.items[0].status === 'fulfilled');
      } finally {
        await postgres.stop();
      }
    },
  );

  test('at startup: alive, not ready and 503 until the database is up, then ready', async () => {
    const options = { dir: join(testBed.dir, 'tls'), access: 'tls', port: tlsPort } as const;
    const before = await startPostgres(options);
    await before.stop();
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const log = join(testBed.dir, 'waiting.log');
    const starting = startShop({ bundle: testBed.bundle, log, env: serverEnv(before.url(), { PORT: String(port) }) });
    await eventually(() =>
      fetch(`${url}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    const early = await fetch(`${url}/api/products`);
    expect([early.status, early.headers.get('retry-after')]).toEqual([503, '1']);
    const postgres = await startPostgres(options);
    const shop = await starting;
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    await shop.stop();
    await postgres.stop();
  });
});
