import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startRedis } from '../../tools/rehearsal/programs/redis';
import { describeWith } from '../support/needs';
import { openRedisGroup, type RedisGroup } from '../support/redis-group';
import { eventually, isAlive, makeUsers, retryOn503, type ShopServer, TestBed, type Visitor } from '../support/shop';

/** Milliseconds. The target is 250; this limit only detects a growing queue. */
const MIN_LIMIT = 1_000;

/** Returns the response time limit in ms: ten times the duration of `count` requests without a session, at least a second. */
async function responseLimit(shop: ShopServer, count: number): Promise<number> {
  const began = performance.now();
  await Promise.all(Array.from({ length: count }, () => shop.visitor().get('/api/products')));
  return Math.max(MIN_LIMIT, 10 * (performance.now() - began));
}

let testBed: TestBed;

beforeAll(async () => {
  testBed = await TestBed.open();
});

afterAll(() => testBed?.close());

describeWith('redis-server', 'Redis', () => {
  /** Sends requests that need a session, with and without a cookie. Each must get a fast 503. */
  async function expectQuickRefusals(visitor: Visitor, shop: ShopServer, email: string): Promise<void> {
    let slowest = 0;
    let limit = await responseLimit(shop, 50);
    const refused = async (send: () => Promise<Awaited<ReturnType<Visitor['get']>>>) => {
      const began = performance.now();
      const { status, headers } = await send();
      slowest = Math.max(slowest, performance.now() - began);
      expect([status, headers.get('retry-after')]).toEqual([503, '1']);
    };
    for (let round = 0; round < 5; round += 1) {
      await refused(() => visitor.get('/api/me'));
      await refused(() => visitor.add(1));
      await refused(() => visitor.get('/cart'));
      await refused(() => visitor.order('key'));
      await refused(() => shop.visitor().add(1));
      await refused(() => shop.visitor().post('/api/login', { email, password: 'wrong' }));
    }
    await Promise.all(Array.from({ length: 50 }, () => refused(() => visitor.get('/api/cart'))));
    limit = Math.max(limit, await responseLimit(shop, 50));
    expect(slowest).toBeLessThan(limit);
    for (const path of ['/', '/products/1', '/api/products', '/healthz', '/readyz']) {
      const began = performance.now();
      expect([path, (await visitor.get(path)).status]).toEqual([path, 200]);
      expect(performance.now() - began).toBeLessThan(limit);
    }
  }

  // Concurrently, because the tests mostly wait.
  test.concurrent.each([
    ['killed', 'SIGKILL'],
    ['frozen', 'SIGSTOP'],
  ] as const)('%s: a fast 503 with a session, 200 elsewhere, and recovery', async (_how, signal) => {
    const dir = join(testBed.dir, `alone-${signal}`);
    let redis = await startRedis({ dir });
    const { port } = redis;
    const database = await testBed.database();
    const shop = await testBed.serve(database, { SESSION_STORE: 'redis', REDIS_URL: redis.url });
    try {
      const [email] = (await makeUsers(database, 1)) as [string];
      const visitor = shop.visitor();
      await visitor.logIn(email);
      await visitor.get('/products/1');
      const sid = visitor.cookies.get('sid');
      if (signal === 'SIGKILL') await redis.kill();
      else process.kill(redis.pid, signal);

      await expectQuickRefusals(visitor, shop, email);
      expect(visitor.cookies.get('sid')).toBe(sid);
      // Long enough for the connection to time out.
      await sleep(5_000);
      await expectQuickRefusals(visitor, shop, email);
      expect(isAlive(shop.pid)).toBe(true);

      if (signal === 'SIGKILL') redis = await startRedis({ dir, port });
      else process.kill(redis.pid, 'SIGCONT');
      await eventually(async () => (await shop.visitor().add(1)).status === 200);
      // A frozen Redis still has its sessions.
      if (signal === 'SIGSTOP') expect((await visitor.get('/api/me')).json.email).toBe(email);
    } finally {
      await redis.kill();
    }
  });

  test.concurrent('down at startup: the shop starts without it, and has sessions after it recovers', async () => {
    const dir = join(testBed.dir, 'late');
    const early = await startRedis({ dir });
    await early.kill();
    const shop = await testBed.serve(await testBed.database(), { SESSION_STORE: 'redis', REDIS_URL: early.url });
    expect((await shop.visitor().get('/')).status).toBe(200);
    expect((await shop.visitor().add(1)).status).toBe(503);
    const redis = await startRedis({ dir, port: early.port });
    try {
      await eventually(async () => (await shop.visitor().add(1)).status === 200);
    } finally {
      await redis.stop();
    }
  });
});

describeWith('redis-server', 'a failover of Redis', () => {
  let group: RedisGroup;

  afterAll(() => group?.close());

  // Failovers under load are in sessions-failures.drill.ts.
  test('confirms no write until a replica has it', async () => {
    group = await openRedisGroup(testBed);
    const [primary, ...replicas] = group.nodes;
    const [server] = group.servers;
    const visitor = server.visitor();
    expect((await retryOn503(() => visitor.add(1))).status).toBe(200);
    for (const replica of replicas) process.kill(replica.pid, 'SIGSTOP');
    await primary.command('CONFIG', 'RESETSTAT');
    const limit = await responseLimit(server, 20);
    const began = performance.now();
    const answers = await Promise.all(Array.from({ length: 20 }, () => server.visitor().add(1)));
    const took = performance.now() - began;
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(503));
    expect(took).toBeLessThan(Math.max(limit, await responseLimit(server, 20)));
    // Each write was tried once, without a retry for the error response.
    const [, tries] = /cmdstat_set:calls=(\d+)/.exec(await primary.command('INFO', 'commandstats')) ?? [];
    expect(Number(tries)).toBeLessThanOrEqual(20);
    // Reads need no replica, and an existing cart is in PostgreSQL.
    expect((await retryOn503(() => visitor.add(1))).json.items).toMatchObject([{ quantity: 2 }]);
    for (const replica of replicas) process.kill(replica.pid, 'SIGCONT');
    await eventually(async () => (await server.visitor().add(1)).status === 200);
    expect(await primary.command('ROLE')).toContain('master');
  });
});
