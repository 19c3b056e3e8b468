import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../lib/processes';
import { type Postgres, startPostgres } from '../../lib/rehearsal/postgres';
import { startShop } from '../../lib/rehearsal/shop-process';
import { Bench, eventually, isAlive, makeUsers, serverEnv, sql } from '../support/shop';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.open();
});

afterAll(() => bench?.close());

/** The processes that answer at `url`, once there are `count` of them. */
async function workers(url: string, count: number): Promise<number[]> {
  const pids = new Set<number>();
  await eventually(async () => {
    // A connection each, as the cluster hands out connections and not requests. One that was just being handed to a
    // worker when that was killed is never answered.
    const init = { headers: { connection: 'close' }, signal: AbortSignal.timeout(2_000) };
    const answer = await fetch(`${url}/whoami`, init).catch(() => undefined);
    if (answer) pids.add(((await answer.json()) as { pid: number }).pid);
    return pids.size === count;
  });
  return [...pids];
}

describe('starting', () => {
  test('four servers at once on an empty database migrate it once', async () => {
    const database = await bench.database();
    const servers = await Promise.all(Array.from({ length: 4 }, () => bench.serve(database)));
    for (const server of servers) expect((await server.visitor().get('/api/products')).json.items).toHaveLength(12);
    const applied = await sql(database, 'SELECT name FROM migrations');
    expect(applied.map(({ name }) => name)).toEqual(
      readdirSync(join(bench.bundle.dir, 'migrations')).map((file) => file.replace('.sql', '')),
    );
    await Promise.all(servers.map((server) => server.process.stop()));
  });

  test('again leaves stock, prices and orders as they are, and brings back a product that is missing', async () => {
    const database = await bench.database();
    const first = await bench.serve(database);
    await first.process.stop();
    await sql(database, `UPDATE products SET stock = 3, price_cents = 4711, name = 'Ours' WHERE id = 1`);
    await sql(database, 'DELETE FROM products WHERE id = 2');
    const second = await bench.serve(database);
    expect((await second.visitor().get('/api/products/1')).json).toMatchObject({
      stock: 3,
      priceCents: 4711,
      name: 'Ours',
    });
    expect((await second.visitor().get('/api/products/2')).status).toBe(200);
    await second.process.stop();
  });

  test('one line for each bad value, exit code 2, no secret', async () => {
    const { code, stderr } = await bench.refused({ PORT: 'abc', PHASE: '0', DATABASE_URL: 'mysql://u:hush@h/d' });
    expect(code).toBe(2);
    expect(stderr.trim().split('\n')).toEqual([
      'PORT="abc": must be an integer from 0 to 65535',
      'PHASE="0": must be an integer from 1 to 5',
      'DATABASE_URL: must be a postgres:// URL',
      'SESSION_SECRET: must be set, or SESSION_SECRET_ARN in its place',
    ]);
  });

  test.each(['1', '2'])('a port in use: one line, exit code 2, with %s processes', async (processes) => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const port = String((taken.address() as AddressInfo).port);
    const env = serverEnv(await bench.database(), {
      PORT: port,
      WEB_CONCURRENCY: processes,
      LOG_LEVEL: 'silent',
    });
    const { code, stderr } = await bench.refused(env);
    taken.close();
    expect(stderr.trim()).toBe(`PORT=${port}, HOST=127.0.0.1: another process listens there`);
    expect(code).toBe(2);
  });

  test('a wrong migration ends the start', async () => {
    const database = await bench.database();
    await sql(database, 'CREATE TABLE products (id text)');
    const { code, stdout } = await bench.refused(serverEnv(database));
    expect(code).toBe(1);
    expect(stdout).toContain('the shop cannot start');
  });
});

describe('secrets by ARN', () => {
  const arn = (name: string) => `arn:aws:secretsmanager:eu-west-1:123456789012:secret:${name}`;
  const held: Record<string, string> = {};
  // Answers as Secrets Manager does.
  const manager = createServer(async (request, response) => {
    const { SecretId } = JSON.parse(Buffer.concat(await request.toArray()).toString());
    const found = held[SecretId];
    response.writeHead(found ? 200 : 400, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(
      JSON.stringify(found ? { SecretString: found } : { __type: 'ResourceNotFoundException', message: 'not there' }),
    );
  });
  let aws: Record<string, string>;

  beforeAll(async () => {
    await once(manager.listen(0, '127.0.0.1'), 'listening');
    const { port } = manager.address() as AddressInfo;
    aws = { AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`, AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x' };
  });

  afterAll(() => manager.close());

  test('are fetched at the start, also by each worker', async () => {
    held[arn('session')] = 'kept by the manager, and long enough to sign';
    const database = await bench.database();
    const env = { ...aws, SESSION_SECRET: '', SESSION_SECRET_ARN: arn('session'), WEB_CONCURRENCY: '2' };
    const shop = await bench.serve(database, env);
    const visitor = shop.visitor();
    await visitor.add(1);
    for (let count = 0; count < 6; count += 1) {
      expect((await visitor.get('/api/cart', { connection: 'close' })).json.items).toHaveLength(1);
    }
    await shop.process.stop();
  });

  test('give a database that is trusted only with a certificate of Amazon for its name', async () => {
    const postgres = await startPostgres({ dir: join(bench.dir, 'not-rds'), access: 'tls' });
    await postgres.createDatabase('shop');
    const { username, password, port } = new URL(postgres.url());
    held[arn('rds')] = JSON.stringify({ username, password, host: 'localhost', port: Number(port), dbname: 'shop' });
    const env = { ...aws, DATABASE_URL: '', DATABASE_SECRET_ARN: arn('rds') };
    const { code, stdout } = await bench.refused(serverEnv('', env));
    await postgres.stop();
    expect(code).toBe(1);
    expect(stdout).toContain('self-signed certificate');
    expect(stdout).not.toContain(password);
  });

  test.each([
    ['missing', undefined, 'cannot read the secret'],
    ['not JSON', 'hush', 'the secret is not JSON'],
    ['incomplete', '{"username":"hush"}', 'the secret has no text field'],
  ])('that are %s end the start, unshown', async (_what, value, reason) => {
    const id = arn(`bad-${reason.length}`);
    if (value !== undefined) held[id] = value;
    const { code, stdout, stderr } = await bench.refused(
      serverEnv('', { ...aws, DATABASE_URL: '', DATABASE_SECRET_ARN: id }),
    );
    expect(code).toBe(1);
    expect(stdout).toContain(reason);
    expect(stdout + stderr).not.toContain('hush');
  });
});

describe('one process a vCPU', () => {
  test('share sessions, a port and the work; one that dies is replaced', async () => {
    const database = await bench.database();
    const shop = await bench.serve(database, { WEB_CONCURRENCY: '2' });
    const [first, second] = (await workers(shop.url, 2)) as [number, number];
    expect([first, second]).not.toContain(shop.pid);

    const visitor = shop.visitor();
    const email = await visitor.signUp();
    const fresh = { connection: 'close' };
    for (let count = 0; count < 10; count += 1) expect((await visitor.get('/api/me', fresh)).json.email).toBe(email);

    process.kill(first, 'SIGKILL');
    await eventually(async () => !(await workers(shop.url, 2)).includes(first));
    expect((await visitor.get('/api/me', fresh)).json.email).toBe(email);
    expect(shop.log()).toContain('a worker died and will be replaced');
    await shop.process.stop();
    expect(await shop.exited).toBe(0);
  });

  test('with sessions in memory, visitors lose theirs; that is what the shared store is for', async () => {
    const database = await bench.database();
    const shop = await bench.serve(database, { WEB_CONCURRENCY: '2', SESSION_STORE: 'memory' });
    await workers(shop.url, 2);
    expect(shop.log()).toContain('visitors lose their sessions at random');
    const [email] = await makeUsers(database, 1);
    const visitor = shop.visitor();
    await visitor.logIn(email as string);
    const sid = visitor.cookies.get('sid') as string;
    const statuses = new Set<number>();
    await eventually(async () => {
      const copy = shop.visitor();
      copy.cookies.set('sid', sid);
      statuses.add((await copy.get('/api/me', { connection: 'close' })).status);
      return statuses.size === 2;
    });
    expect(statuses).toEqual(new Set([200, 401]));
    await shop.process.stop();
  });

  test('with sessions in memory, one process keeps them', async () => {
    const database = await bench.database();
    const shop = await bench.serve(database, { SESSION_STORE: 'memory' });
    const visitor = shop.visitor();
    await visitor.add(1);
    await visitor.signUp();
    expect((await visitor.get('/api/cart')).json.items).toHaveLength(1);
    await visitor.post('/api/logout');
    expect((await visitor.get('/api/me')).status).toBe(401);
    expect(await sql(database, 'SELECT 1 FROM sessions')).toEqual([]);
    await shop.process.stop();
  });
});

test('the log-in limit counts over all servers', async () => {
  const database = await bench.database();
  const servers = [await bench.serve(database), await bench.serve(database)];
  const [email] = await makeUsers(database, 1);
  const statuses: number[] = [];
  for (let count = 0; count < 12; count += 1) {
    const visitor = servers[count % 2]?.visitor();
    statuses.push((await visitor?.post('/api/login', { email, password: 'wrong' }))?.status as number);
  }
  expect(statuses).toEqual([...Array(10).fill(401), 429, 429]);
  await Promise.all(servers.map((server) => server.process.stop()));
});

describe('stopping', () => {
  /** Additions to carts that wait for a lock, so that they are in flight for certain. */
  async function inFlight(database: string, url: string, count: number) {
    const { Client } = await import('pg');
    const lock = new Client({ connectionString: database });
    await lock.connect();
    await lock.query('BEGIN; LOCK TABLE cart_items IN ACCESS EXCLUSIVE MODE');
    const body = JSON.stringify({ productId: 1, quantity: 1 });
    const headers = { 'content-type': 'application/json' };
    const answers = Array.from({ length: count }, () =>
      fetch(`${url}/api/cart/items`, { method: 'POST', headers, body }).then(async (answer) => {
        await answer.text();
        return { status: answer.status, connection: answer.headers.get('connection') };
      }),
    );
    await eventually(async () => {
      const [{ waiting }] = await sql(
        database,
        `SELECT count(*)::int AS waiting FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      return waiting === count;
    });
    return { answers: Promise.all(answers), release: () => lock.query('COMMIT').then(() => lock.end()) };
  }

  test.each(['1', '2'])('SIGTERM lets requests in flight end and exits 0, with %s processes', async (processes) => {
    const database = await bench.database();
    const shop = await bench.serve(database, { WEB_CONCURRENCY: processes });
    const { answers, release } = await inFlight(database, shop.url, 10);
    shop.kill('SIGTERM');
    await eventually(() =>
      fetch(`${shop.url}/healthz`, { headers: { connection: 'close' } }).then(
        () => false,
        () => true,
      ),
    );
    await release();
    expect(await answers).toEqual(Array(10).fill({ status: 200, connection: 'close' }));
    expect(await shop.exited).toBe(0);
  });

  test('a signal sent twice by accident counts once; asking again later ends it at once', async () => {
    const database = await bench.database();
    const shop = await bench.serve(database);
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

  test('behind a balancer, readiness goes first and requests are answered until it has seen that', async () => {
    const database = await bench.database();
    const shop = await bench.serve(database, { PHASE: '3' });
    shop.kill('SIGTERM');
    await eventually(() => fetch(`${shop.url}/readyz`).then(({ status }) => status === 503));
    const until = Date.now() + 8_000;
    let answered = 0;
    while (Date.now() < until) {
      const answer = await fetch(`${shop.url}/api/products`);
      await answer.arrayBuffer();
      expect([answer.status, answer.headers.get('connection')]).toEqual([200, 'close']);
      answered += 1;
      await sleep(20);
    }
    expect(answered).toBeGreaterThan(50);
    expect((await fetch(`${shop.url}/healthz`)).status).toBe(200);
    expect(await shop.exited).toBe(0);
  });

  test.each(['1', '2'])('when its parent is killed it goes too, with %s processes', async (processes) => {
    const database = await bench.database();
    const script = `
      const child = require('node:child_process').spawn(process.execPath, [process.argv[1]], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
      child.on('message', ({ port }) => console.log(JSON.stringify({ pid: child.pid, port })));`;
    const parent = spawn(process.execPath, ['-e', script, join(bench.bundle.dir, 'server.js')], {
      env: { PATH: process.env.PATH, ...serverEnv(database, { WEB_CONCURRENCY: processes }) },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(parent.stdout, 'data');
    const { pid, port } = JSON.parse(String(line)) as { pid: number; port: number };
    const all = [pid, ...(await workers(`http://127.0.0.1:${port}`, Number(processes)))];
    parent.kill('SIGKILL');
    await eventually(() => !all.some(isAlive));
  });

  test('when the primary process is killed its workers go too', async () => {
    const database = await bench.database();
    const shop = await bench.serve(database, { WEB_CONCURRENCY: '2' });
    const pids = await workers(shop.url, 2);
    shop.kill('SIGKILL');
    await eventually(() => !pids.some(isAlive));
  });
});

describe('a database that goes away', () => {
  let tlsPort: number;

  beforeAll(async () => {
    tlsPort = await freePort();
  });

  test.each(['socket', 'tls'] as const)(
    'by %s: catalogue from the cache, 503 for the rest, nobody logged out',
    async (access) => {
      const dir = join(bench.dir, access);
      const port = access === 'tls' ? tlsPort : undefined;
      const start = (): Promise<Postgres> => startPostgres({ dir, access, port });
      let postgres = await start();
      try {
        await postgres.createDatabase('shop');
        const database = postgres.url();
        const shop = await bench.serve(database);
        const [email] = await makeUsers(database, 1);
        const visitor = shop.visitor();
        await visitor.logIn(email as string);
        await visitor.add(1);
        await visitor.get('/');
        await visitor.get('/api/products');
        const sid = visitor.cookies.get('sid');

        await postgres.stop();
        expect((await visitor.get('/healthz')).status).toBe(200);
        expect((await visitor.get('/readyz')).status).toBe(200);
        // Longer than the cache holds entries as fresh.
        await sleep(3_500);
        for (const path of ['/', '/api/products'])
          expect([path, (await visitor.get(path)).status]).toEqual([path, 200]);
        expect((await visitor.get('/api/products?q=never+asked')).status).toBe(503);
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
        // Each start puts the socket into another folder.
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

  test('is waited for at the start: alive, not ready, 503; and ready once it is there', async () => {
    const options = { dir: join(bench.dir, 'tls'), access: 'tls', port: tlsPort } as const;
    const before = await startPostgres(options);
    await before.stop();
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const log = join(bench.dir, 'waiting.log');
    const starting = startShop({ bundle: bench.bundle, log, env: serverEnv(before.url(), { PORT: String(port) }) });
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
