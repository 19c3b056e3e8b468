import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Endpoint, openEndpoint } from '../../tools/rehearsal/programs/endpoint';
import { type RedisServer, startRedis } from '../../tools/rehearsal/programs/redis';
import { describeWith } from '../support/needs';
import {
  Bench,
  eventually,
  isAlive,
  makeUsers,
  PASSWORD,
  patiently,
  type ShopServer,
  type Visitor,
} from '../support/shop';

/** Milliseconds. The target is 250. A busy machine takes longer, so this only checks that requests do not queue. */
const QUICK = 1_000;

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.open();
});

afterAll(() => bench?.close());

describeWith('redis-server', 'Redis', () => {
  /** Sends requests that need a session, with and without a cookie. Each must get a fast 503. */
  async function expectQuickRefusals(visitor: Visitor, shop: ShopServer, email: string): Promise<void> {
    let slowest = 0;
    const refused = async (ask: () => Promise<Awaited<ReturnType<Visitor['get']>>>) => {
      const began = performance.now();
      const { status, headers } = await ask();
      slowest = Math.max(slowest, performance.now() - began);
      expect([status, headers.get('retry-after')]).toEqual([503, '1']);
    };
    for (let round = 0; round < 5; round += 1) {
      await refused(() => visitor.get('/api/me'));
      await refused(() => visitor.add(1));
      await refused(() => visitor.get('/cart'));
      await refused(() => visitor.order('key'));
      await refused(() => shop.visitor().add(1));
      await refused(() => shop.visitor().post('/api/login', { email, password: 'whatever' }));
    }
    await Promise.all(Array.from({ length: 50 }, () => refused(() => visitor.get('/api/cart'))));
    expect(slowest).toBeLessThan(QUICK);
    for (const path of ['/', '/products/1', '/api/products', '/healthz', '/readyz']) {
      const began = performance.now();
      expect([path, (await visitor.get(path)).status]).toEqual([path, 200]);
      expect(performance.now() - began).toBeLessThan(QUICK);
    }
  }

  // Concurrently, because the tests mostly wait.
  test.concurrent.each([
    ['killed', 'SIGKILL'],
    ['frozen', 'SIGSTOP'],
  ] as const)('%s: a fast 503 with a session, 200 elsewhere, and recovery', async (_how, signal) => {
    const dir = join(bench.dir, `alone-${signal}`);
    let redis = await startRedis({ dir });
    const { port } = redis;
    const database = await bench.database();
    const shop = await bench.serve(database, { SESSION_STORE: 'redis', REDIS_URL: redis.url });
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
      await eventually(async () => (await shop.visitor().add(1)).status === 200, 30_000);
      // A frozen Redis still has its sessions.
      if (signal === 'SIGSTOP') expect((await visitor.get('/api/me')).json.email).toBe(email);
    } finally {
      await redis.kill();
    }
  });

  test.concurrent('down at startup: the shop starts without it, and has sessions after it recovers', async () => {
    const dir = join(bench.dir, 'late');
    const early = await startRedis({ dir });
    await early.kill();
    const shop = await bench.serve(await bench.database(), { SESSION_STORE: 'redis', REDIS_URL: early.url });
    expect((await shop.visitor().get('/')).status).toBe(200);
    expect((await shop.visitor().add(1)).status).toBe(503);
    const redis = await startRedis({ dir, port: early.port });
    try {
      await eventually(async () => (await shop.visitor().add(1)).status === 200, 30_000);
    } finally {
      await redis.stop();
    }
  });
});

describeWith('redis-server', 'a failover of Redis', () => {
  let nodes: RedisServer[];
  let name: Endpoint;
  let servers: ShopServer[];
  let database: string;

  /** A primary with two replicas behind one endpoint, as in ElastiCache. */
  beforeEach(async () => {
    const dir = (node: number) => join(bench.dir, `node-${node}-${Math.random()}`);
    const primary = await startRedis({ dir: dir(0) });
    const replicas = await Promise.all([1, 2].map((node) => startRedis({ dir: dir(node), primaryPort: primary.port })));
    nodes = [primary, ...replicas];
    name = await openEndpoint(primary.port);
    database = await bench.database();
    const env = {
      SESSION_STORE: 'redis',
      REDIS_URL: `redis://127.0.0.1:${name.port}`,
      REDIS_MIN_REPLICAS: '1',
      LOG_LEVEL: 'warn',
    };
    servers = await Promise.all([1, 2].map(() => bench.serve(database, env)));
  });

  afterEach(async () => {
    await Promise.all(servers.map((server) => server.kill('SIGKILL')));
    name.close();
    await Promise.all(nodes.map((node) => node.kill()));
  });

  /** Returns the replica with the least replication lag, which ElastiCache promotes. */
  async function mostCurrent(): Promise<RedisServer> {
    const offsets = await Promise.all(
      nodes.slice(1).map(async (node) => {
        const [, offset] = /slave_repl_offset:(\d+)/.exec(await node.command('INFO', 'replication')) ?? [];
        return { node, offset: Number(offset) };
      }),
    );
    return (offsets.sort((a, b) => b.offset - a.offset)[0] as (typeof offsets)[0]).node;
  }

  /** Runs new visitors that fill a cart or log in until stopped. Records the confirmed ones. */
  function traffic(emails: readonly string[]) {
    const carts: Visitor[] = [];
    const logIns: { visitor: Visitor; email: string }[] = [];
    const counts = { good: 0, refused: 0, other: new Set<number>() };
    let stopped = false;
    const count = (status: number) => {
      if (status === 200) counts.good += 1;
      else if (status === 503) counts.refused += 1;
      else counts.other.add(status);
      return status === 200;
    };
    const one = async (index: number) => {
      for (let turn = 0; !stopped; turn += 1) {
        const visitor = (servers[(index + turn) % servers.length] as ShopServer).visitor();
        if (count((await visitor.add(1)).status)) carts.push(visitor);
        const email = emails[(index * 31 + turn) % emails.length] as string;
        const member = (servers[turn % servers.length] as ShopServer).visitor();
        if (count((await member.post('/api/login', { email, password: PASSWORD })).status))
          logIns.push({ visitor: member, email });
        await sleep(10);
      }
    };
    const running = Promise.all(Array.from({ length: 6 }, (_, index) => one(index)));
    return {
      counts,
      stop: async () => {
        stopped = true;
        await running;
      },
      /** Counts the confirmed visitors whose data still exists. */
      async lost() {
        let lost = 0;
        for (const visitor of carts) {
          const { status, json } = await patiently(() => visitor.get('/api/cart'));
          if (status !== 200 || json.items.length !== 1) lost += 1;
        }
        for (const { visitor, email } of logIns) {
          const { status, json } = await patiently(() => visitor.get('/api/me'));
          if (status !== 200 || json.email !== email) lost += 1;
        }
        return { lost, of: carts.length + logIns.length };
      },
    };
  }

  const back = () =>
    eventually(async () => {
      const answers = await Promise.all(servers.map((server) => server.visitor().add(1)));
      return answers.every(({ status }) => status === 200);
    }, 30_000);

  test('that demotes the primary and leaves its connections open loses no confirmed write', async () => {
    const load = traffic(await makeUsers(database, 20));
    await sleep(2_000);
    const [primary, first] = nodes as [RedisServer, RedisServer];
    // The order of a coordinated failover: the old primary stops accepting writes before the new one starts.
    await primary.command('REPLICAOF', '127.0.0.1', String(first.port));
    const next = await mostCurrent();
    await next.promote();
    await Promise.all(nodes.filter((node) => node !== next).map((node) => node.follow(next.port)));
    const refusedBefore = load.counts.refused;
    // The endpoint still resolves to the old primary, now a replica.
    await sleep(2_000);
    expect(load.counts.refused).toBeGreaterThan(refusedBefore);
    name.leadTo(next.port);
    await back();
    const goodBefore = load.counts.good;
    await eventually(() => load.counts.good > goodBefore + 50);
    await load.stop();
    const { lost, of } = await load.lost();
    expect([lost, [...load.counts.other]]).toEqual([0, []]);
    expect(of).toBeGreaterThan(100);
  }, 120_000);

  test('after kill -9 of the primary under load loses no confirmed write', async () => {
    const load = traffic(await makeUsers(database, 20));
    await sleep(3_000);
    const [primary] = nodes as [RedisServer];
    await primary.kill();
    const next = await mostCurrent();
    await next.promote();
    await Promise.all(nodes.filter((node) => node !== primary && node !== next).map((node) => node.follow(next.port)));
    name.leadTo(next.port);
    await back();
    await sleep(1_000);
    await load.stop();
    const { lost, of } = await load.lost();
    expect([lost, [...load.counts.other]]).toEqual([0, []]);
    expect(of).toBeGreaterThan(100);
  }, 120_000);

  test('confirms no write until a replica has it', async () => {
    const [primary, ...replicas] = nodes as [RedisServer, ...RedisServer[]];
    const [server] = servers as [ShopServer];
    const visitor = server.visitor();
    expect((await patiently(() => visitor.add(1))).status).toBe(200);
    for (const replica of replicas) process.kill(replica.pid, 'SIGSTOP');
    await primary.command('CONFIG', 'RESETSTAT');
    const began = performance.now();
    const answers = await Promise.all(Array.from({ length: 20 }, () => server.visitor().add(1)));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(503));
    expect(performance.now() - began).toBeLessThan(QUICK);
    // Each write was tried once, without a retry for the error response.
    const [, tries] = /cmdstat_set:calls=(\d+)/.exec(await primary.command('INFO', 'commandstats')) ?? [];
    expect(Number(tries)).toBeLessThanOrEqual(20);
    // Reads need no replica, and an existing cart is in PostgreSQL.
    expect((await visitor.add(1)).json.items).toMatchObject([{ quantity: 2 }]);
    for (const replica of replicas) process.kill(replica.pid, 'SIGCONT');
    await eventually(async () => (await server.visitor().add(1)).status === 200);
    expect(await primary.command('ROLE')).toContain('master');
  });
});
