import { setTimeout as sleep } from 'node:timers/promises';
import type { Endpoint } from '../../tools/rehearsal/programs/endpoint';
import type { RedisServer } from '../../tools/rehearsal/programs/redis';
import { describeWith } from '../support/needs';
import { openRedisGroup, type RedisGroup } from '../support/redis-group';
import { eventually, makeUsers, PASSWORD, retryOn503, type ShopServer, TestBed, type Visitor } from '../support/shop';

let testBed: TestBed;

beforeAll(async () => {
  testBed = await TestBed.open();
});

afterAll(() => testBed?.close());

describeWith('redis-server', 'a failover of Redis', () => {
  let group: RedisGroup;
  let nodes: RedisGroup['nodes'];
  let endpoint: Endpoint;
  let servers: RedisGroup['servers'];
  let database: string;

  beforeEach(async () => {
    group = await openRedisGroup(testBed);
    ({ nodes, endpoint, servers, database } = group);
  });

  afterEach(() => group?.close());

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
          const { status, json } = await retryOn503(() => visitor.get('/api/cart'));
          if (status !== 200 || json.items.length !== 1) lost += 1;
        }
        for (const { visitor, email } of logIns) {
          const { status, json } = await retryOn503(() => visitor.get('/api/me'));
          if (status !== 200 || json.email !== email) lost += 1;
        }
        return { lost, of: carts.length + logIns.length };
      },
    };
  }

  const recovered = () =>
    eventually(async () => {
      const answers = await Promise.all(servers.map((server) => server.visitor().add(1)));
      return answers.every(({ status }) => status === 200);
    });

  test('that demotes the primary and leaves its connections open loses no confirmed write', async () => {
    const load = traffic(await makeUsers(database, 20));
    await eventually(() => load.counts.good > 60);
    const [primary, first] = nodes;
    // The order of a coordinated failover: the old primary stops accepting writes before the new one starts.
    await primary.command('REPLICAOF', '127.0.0.1', String(first.port));
    const next = await mostCurrent();
    await next.promote();
    await Promise.all(nodes.filter((node) => node !== next).map((node) => node.follow(next.port)));
    const refusedBefore = load.counts.refused;
    // The endpoint still resolves to the old primary, now a replica.
    await eventually(() => load.counts.refused > refusedBefore);
    endpoint.pointTo(next.port);
    await recovered();
    const goodBefore = load.counts.good;
    await eventually(() => load.counts.good > goodBefore + 50);
    await load.stop();
    const { lost, of } = await load.lost();
    expect([lost, [...load.counts.other]]).toEqual([0, []]);
    expect(of).toBeGreaterThan(100);
  });

  test('after kill -9 of the primary under load loses no confirmed write', async () => {
    const load = traffic(await makeUsers(database, 20));
    await eventually(() => load.counts.good > 60);
    const [primary] = nodes;
    await primary.kill();
    const next = await mostCurrent();
    await next.promote();
    await Promise.all(nodes.filter((node) => node !== primary && node !== next).map((node) => node.follow(next.port)));
    endpoint.pointTo(next.port);
    await recovered();
    const goodBefore = load.counts.good;
    await eventually(() => load.counts.good > goodBefore + 50);
    await load.stop();
    const { lost, of } = await load.lost();
    expect([lost, [...load.counts.other]]).toEqual([0, []]);
    expect(of).toBeGreaterThan(100);
  });
});
