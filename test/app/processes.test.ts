import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { startPostgres } from '../../tools/rehearsal/programs/postgres';
import { startRedis } from '../../tools/rehearsal/programs/redis';
import { describeWith } from '../support/needs';
import { eventually, makeUsers, serverEnv, sql, TestBed, workers } from '../support/shop';

let testBed: TestBed;

beforeAll(async () => {
  testBed = await TestBed.open();
});

afterAll(() => testBed?.close());

describe('starting', () => {
  test('four servers that start at once migrate an empty database once', async () => {
    const database = await testBed.database();
    const servers = await Promise.all(Array.from({ length: 4 }, () => testBed.serve(database)));
    for (const server of servers) expect((await server.visitor().get('/api/products')).json.items).toHaveLength(12);
    const applied = await sql(database, 'SELECT name FROM migrations');
    expect(applied.map(({ name }) => name)).toEqual(
      readdirSync(join(testBed.bundle.dir, 'migrations')).map((file) => file.replace('.sql', '')),
    );
    await Promise.all(servers.map((server) => server.process.stop()));
  });

  test('on existing data keeps stock, prices and orders, and restores a missing product', async () => {
    const database = await testBed.database();
    const first = await testBed.serve(database);
    await first.process.stop();
    await sql(database, `UPDATE products SET stock = 3, price_cents = 4711, name = 'Ours' WHERE id = 1`);
    await sql(database, 'DELETE FROM products WHERE id = 2');
    const second = await testBed.serve(database);
    expect((await second.visitor().get('/api/products/1')).json).toMatchObject({
      stock: 3,
      priceCents: 4711,
      name: 'Ours',
    });
    expect((await second.visitor().get('/api/products/2')).status).toBe(200);
    await second.process.stop();
  });

  test('prints one line per invalid value without a secret, and exits with 2', async () => {
    const { code, stderr } = await testBed.runUntilExit({
      PORT: 'abc',
      PHASE: '0',
      DATABASE_URL: 'mysql://u:hush@h/d',
    });
    expect(code).toBe(2);
    expect(stderr.trim().split('\n')).toEqual([
      'PORT must be an integer from 0 to 65535, got "abc".',
      'PHASE must be an integer from 1 to 5, got "0".',
      'DATABASE_URL must be a postgres:// URL.',
      'SESSION_SECRET or SESSION_SECRET_ARN must be set.',
    ]);
  });

  test.each(['1', '2'])('a port in use is a one-line error with exit code 2, with %s processes', async (processes) => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const port = String((taken.address() as AddressInfo).port);
    const env = serverEnv(await testBed.database(), {
      PORT: port,
      WEB_CONCURRENCY: processes,
      LOG_LEVEL: 'silent',
    });
    const { code, stderr } = await testBed.runUntilExit(env);
    taken.close();
    expect(stderr.trim()).toBe(`PORT=${port}, HOST=127.0.0.1: another process listens there`);
    expect(code).toBe(2);
  });

  test('fails on an invalid migration', async () => {
    const database = await testBed.database();
    await sql(database, 'CREATE TABLE products (id text)');
    const { code, stdout } = await testBed.runUntilExit(serverEnv(database));
    expect(code).toBe(1);
    expect(stdout).toContain('the shop cannot start');
  });
});

describe('secrets by ARN', () => {
  const arn = (name: string) => `arn:aws:secretsmanager:eu-west-1:123456789012:secret:${name}`;
  const secrets: Record<string, string> = {};
  // A stub of Secrets Manager.
  const manager = createServer(async (request, response) => {
    const { SecretId } = JSON.parse(Buffer.concat(await request.toArray()).toString());
    const found = secrets[SecretId];
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

  test('are fetched at startup by each process', async () => {
    secrets[arn('session')] = 'kept by the manager, and long enough to sign';
    const database = await testBed.database();
    const env = { ...aws, SESSION_SECRET: '', SESSION_SECRET_ARN: arn('session'), WEB_CONCURRENCY: '2' };
    const shop = await testBed.serve(database, env);
    const visitor = shop.visitor();
    await visitor.add(1);
    for (let count = 0; count < 6; count += 1) {
      expect((await visitor.get('/api/cart', { connection: 'close' })).json.items).toHaveLength(1);
    }
    await shop.process.stop();
  });

  test('require a database certificate that Amazon issued for its host name', async () => {
    const postgres = await startPostgres({ dir: join(testBed.dir, 'not-rds'), access: 'tls' });
    await postgres.createDatabase('shop');
    const { username, password, port } = new URL(postgres.url());
    secrets[arn('rds')] = JSON.stringify({ username, password, host: 'localhost', port: Number(port), dbname: 'shop' });
    const env = { ...aws, DATABASE_URL: '', DATABASE_SECRET_ARN: arn('rds') };
    const { code, stdout } = await testBed.runUntilExit(serverEnv('', env));
    await postgres.stop();
    expect(code).toBe(1);
    expect(stdout).toContain('self-signed certificate');
    expect(stdout).not.toContain(password);
  });

  describeWith('redis-server', 'for Redis', () => {
    test('contain user and password with any characters', async () => {
      const redis = await startRedis({ dir: join(testBed.dir, 'redis') });
      const [username, password] = ['shop', 'p@ss/word: hush?'];
      await redis.command('ACL', 'SETUSER', username, 'on', `>${password}`, '~*', '+@all', '-@dangerous', '+hello');
      await redis.command('ACL', 'SETUSER', 'default', 'off');
      secrets[arn('redis')] = JSON.stringify({ username, password });
      const env = { ...aws, SESSION_STORE: 'redis', REDIS_URL: redis.url, REDIS_SECRET_ARN: arn('redis') };
      const shop = await testBed.serve(await testBed.database(), env);
      expect((await shop.visitor().add(1)).status).toBe(200);
      expect(shop.log()).not.toContain('hush');
      await shop.process.stop();
      await redis.stop();
    });
  });

  test.each([
    ['missing', undefined, 'cannot read the secret'],
    ['not JSON', 'hush', 'the secret is not JSON'],
    ['incomplete', '{"username":"hush"}', 'the secret has no text field'],
  ])('stop the server during startup and are not printed if %s', async (_what, value, reason) => {
    const id = arn(`bad-${reason.length}`);
    if (value !== undefined) secrets[id] = value;
    const { code, stdout, stderr } = await testBed.runUntilExit(
      serverEnv('', { ...aws, DATABASE_URL: '', DATABASE_SECRET_ARN: id }),
    );
    expect(code).toBe(1);
    expect(stdout).toContain(reason);
    expect(stdout + stderr).not.toContain('hush');
  });
});

describe('the processes of a server', () => {
  test('share sessions, a port and the load, and a killed process is replaced', async () => {
    const database = await testBed.database();
    const shop = await testBed.serve(database, { WEB_CONCURRENCY: '2' });
    const [first, second] = (await workers(shop.url, 2)) as [number, number];
    expect([first, second]).not.toContain(shop.pid);

    const visitor = shop.visitor();
    const email = await visitor.signUp();
    const newConnection = { connection: 'close' };
    for (let count = 0; count < 10; count += 1)
      expect((await visitor.get('/api/me', newConnection)).json.email).toBe(email);

    process.kill(first, 'SIGKILL');
    await eventually(async () => !(await workers(shop.url, 2)).includes(first));
    expect((await visitor.get('/api/me', newConnection)).json.email).toBe(email);
    expect(shop.log()).toContain('a worker died and will be replaced');
    await shop.process.stop();
    expect(await shop.exited).toBe(0);
  });

  test('in-memory sessions are lost between processes, so processes need a shared store', async () => {
    const database = await testBed.database();
    const shop = await testBed.serve(database, { WEB_CONCURRENCY: '2', SESSION_STORE: 'memory' });
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

  test('in-memory sessions work with one process', async () => {
    const database = await testBed.database();
    const shop = await testBed.serve(database, { SESSION_STORE: 'memory' });
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

test('the login limit counts across all servers', async () => {
  const database = await testBed.database();
  const servers = [await testBed.serve(database), await testBed.serve(database)];
  const [email] = await makeUsers(database, 1);
  const statuses: number[] = [];
  for (let count = 0; count < 12; count += 1) {
    const visitor = servers[count % 2]?.visitor();
    statuses.push((await visitor?.post('/api/login', { email, password: 'wrong' }))?.status as number);
  }
  expect(statuses).toEqual([...Array(10).fill(401), 429, 429]);
  await Promise.all(servers.map((server) => server.process.stop()));
});
