import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { pino } from 'pino';
import { Database, walPosition } from '../../app/data/db';
import { Replicas } from '../../app/data/replicas';
import { type Postgres, startReplica } from '../../tools/rehearsal/programs/postgres';
import { freePort } from '../../tools/support/processes';
import { eventually, isAlive, makeUsers, type ShopServer, sql, TestBed, type Visitor } from '../support/shop';

/** Reads from replicas, with replica lag and failed replicas. */
let testBed: TestBed;

beforeAll(async () => {
  testBed = await TestBed.open();
});

afterAll(() => testBed?.close());

const nameOf = (url: string) => /\/(\w+)\?/.exec(url)?.[1] as string;

async function asSuperuser(server: Postgres, text: string): Promise<void> {
  const client = new Client({
    host: server.socketDir,
    port: server.port ?? 5432,
    user: 'postgres',
    database: 'postgres',
  });
  await client.connect();
  await client.query(text);
  await client.end();
}

/** Starts a server and waits until it reads from all replicas. */
async function serveWith(database: string, urls: readonly string[]): Promise<ShopServer> {
  const shop = await testBed.serve(database, { DATABASE_REPLICA_URLS: urls.join(',') });
  await eventually(() => shop.log().split('replica added to the rotation').length - 1 === urls.length);
  return shop;
}

async function loggedIn(database: string, shop: ShopServer): Promise<Visitor> {
  const [email] = await makeUsers(database, 1);
  const visitor = shop.visitor();
  await visitor.logIn(email as string);
  return visitor;
}

describe('a replica with 2 s lag', () => {
  let database: string;
  let replica: Postgres;
  let servers: readonly [ShopServer, ShopServer];

  beforeAll(async () => {
    database = await testBed.database();
    // Migrate first, otherwise the replica lacks the tables for its first 2 s.
    await (await testBed.serve(database)).process.stop();
    await sql(database, 'UPDATE products SET stock = 1000');
    replica = await startReplica(testBed.postgres, { dir: join(testBed.dir, 'behind'), applyDelayMs: 2_000 });
    const urls = [replica.url(nameOf(database))];
    servers = [await serveWith(database, urls), await serveWith(database, urls)];
  });

  afterAll(() => replica?.stop());

  test('read-your-writes holds for 200 orders that are read immediately on another server', async () => {
    const visitor = await loggedIn(database, servers[0]);
    let stale = 0;
    for (let count = 0; count < 200; count += 1) {
      visitor.url = servers[0].url;
      expect((await visitor.add(1 + (count % 10))).status).toBe(200);
      const placed = await visitor.order(`order ${count}`);
      expect(placed.status).toBe(201);
      visitor.url = servers[1].url;
      const [order, list, cart] = await Promise.all([
        visitor.get(`/api/orders/${placed.json.id}`),
        visitor.get('/api/orders'),
        visitor.get('/api/cart'),
      ]);
      const seen = order.status === 200 && list.json.items[0]?.id === placed.json.id && cart.json.items.length === 0;
      if (!seen) stale += 1;
    }
    expect(stale).toBe(0);
  });

  test('serves visitors without recent writes', async () => {
    const visitor = await loggedIn(database, servers[0]);
    await visitor.add(1);
    const { id } = (await visitor.order('mine')).json;
    const memory = visitor.cookies.get('wrote') as string;
    visitor.cookies.delete('wrote');
    // Without the cookie the visitor would read stale data.
    expect((await visitor.get(`/api/orders/${id}`)).status).toBe(404);
    visitor.cookies.set('wrote', memory);
    expect((await visitor.get(`/api/orders/${id}`)).status).toBe(200);
    visitor.cookies.set('wrote', memory.replace(/^\d/, '0'));
    expect((await visitor.get(`/api/orders/${id}`)).status).toBe(200);
    visitor.cookies.delete('wrote');
    await eventually(async () => (await visitor.get(`/api/orders/${id}`)).status === 200);
  });

  test('does not serve the response to a write', async () => {
    const visitor = servers[0].visitor();
    for (let count = 1; count <= 5; count += 1) {
      expect((await visitor.add(3)).json.items).toMatchObject([{ quantity: count }]);
      visitor.cookies.delete('wrote');
    }
  });
});

describe('a failed replica', () => {
  test('fails no read, is removed, and serves reads again after it recovers', async () => {
    const database = await testBed.database();
    await (await testBed.serve(database)).process.stop();
    const port = await freePort();
    const dir = join(testBed.dir, 'dies');
    const start = () => startReplica(testBed.postgres, { dir, access: 'tls', port });
    let doomed = await start();
    const other = await startReplica(testBed.postgres, { dir: join(testBed.dir, 'other') });
    try {
      const shop = await serveWith(database, [doomed.url(nameOf(database)), other.url(nameOf(database))]);
      const visitor = await loggedIn(database, shop);
      await visitor.add(1);
      await visitor.order('mine');
      await sleep(1_000);
      visitor.cookies.delete('wrote');

      let reading = true;
      let reads = 0;
      const failures: number[] = [];
      const readers = Array.from({ length: 4 }, async (_, reader) => {
        while (reading) {
          const path = reads % 2 === 0 ? '/api/orders' : `/api/products?q=${reader}-${reads}`;
          const { status } = await visitor.get(path);
          if (status !== 200) failures.push(status);
          reads += 1;
        }
      });
      await sleep(500);
      process.kill(doomed.pid, 'SIGKILL');
      await eventually(() => shop.log().includes('replica removed from the rotation'));
      const readsThen = reads;
      await eventually(() => reads > readsThen + 200);
      await eventually(() => !isAlive(doomed.pid));
      doomed = await start();
      await eventually(() => shop.log().split('replica added to the rotation').length - 1 === 3);
      reading = false;
      await Promise.all(readers);
      expect(failures).toEqual([]);
      expect(reads).toBeGreaterThan(200);
      await shop.process.stop();
    } finally {
      await doomed.stop();
      await other.stop();
    }
  });
});

describe('routing of reads', () => {
  let database: string;
  let primary: Database;
  let servers: Postgres[];
  let replicas: Replicas;
  let nodes: { database: Database; probe: Database; name: string }[];
  /** Returns the node that served a read: 0 is the primary. */
  const servingNode = async (seen?: Parameters<Replicas['seeing']>[0]) => {
    const [row] = await replicas.seeing(seen).query<{ name: string }>(`SELECT current_setting('cluster_name') AS name`);
    return ['', 'one', 'two'].indexOf(row?.name as string);
  };

  beforeAll(async () => {
    database = await testBed.database();
    servers = await Promise.all(
      ['one', 'two'].map((name) =>
        startReplica(testBed.postgres, { dir: join(testBed.dir, name), settings: { cluster_name: name } }),
      ),
    );
    const reach = (url: string, role: 'primary' | 'replica') => new Database({ connectionString: url }, () => {}, role);
    primary = reach(database, 'primary');
    nodes = servers.map((server, index) => {
      const url = server.url(nameOf(database));
      return { database: reach(url, 'replica'), probe: reach(url, 'replica'), name: `replica ${index + 1}` };
    });
    replicas = new Replicas(primary, nodes, pino({ level: 'silent' }));
    expect(await servingNode()).toBe(0);
    replicas.start(5);
    await eventually(async () => (await servingNode()) > 0);
  });

  afterAll(async () => {
    await replicas?.stop();
    await primary?.close();
    await Promise.all((servers ?? []).map((server) => server.stop()));
  });

  test('uses the replicas in turn, and counts each read', async () => {
    await eventually(async () => new Set([await servingNode(), await servingNode()]).size === 2);
    const before = nodes.map((node) => node.database.counters.statements);
    const primaryBefore = primary.counters.statements;
    const seen = [];
    for (let count = 0; count < 10; count += 1) seen.push(await servingNode());
    expect(seen.filter((index) => index === 1)).toHaveLength(5);
    expect(seen.filter((index) => index === 2)).toHaveLength(5);
    expect(nodes.map((node, index) => node.database.counters.statements - (before[index] as number))).toEqual([5, 5]);
    // The primary only got health checks.
    expect(primary.counters.statements - primaryBefore).toBeLessThan(5);
  });

  test('uses the primary if no replica has reached the minimum LSN, and counts it', async () => {
    const before = replicas.counters.fallbacks;
    expect(await servingNode('everything')).toBe(0);
    expect(replicas.counters.fallbacks - before).toBe(0);
    expect(await servingNode((await primary.walPosition()) + 2n ** 40n)).toBe(0);
    expect(replicas.counters.fallbacks - before).toBe(1);
    const position = (await replicas.position()) as bigint;
    await eventually(async () => (await servingNode(position)) > 0);
  });

  test('skips a lagging replica until it has caught up', async () => {
    const [first] = servers as [Postgres];
    await asSuperuser(first, 'SELECT pg_wal_replay_pause()');
    await sql(database, 'CREATE TABLE news (id int)');
    await eventually(async () => {
      const seen = [await servingNode(), await servingNode(), await servingNode(), await servingNode()];
      return seen.every((index) => index === 2);
    });
    await asSuperuser(first, 'SELECT pg_wal_replay_resume()');
    await eventually(async () => (await servingNode()) === 1);
  });

  test('a statement error does not remove a replica', async () => {
    await expect(replicas.seeing(undefined).query('SELECT 1 / 0')).rejects.toThrow('division by zero');
    await eventually(async () => new Set([await servingNode(), await servingNode()]).size === 2);
  });
});

test.each([
  ['0/0', 0n],
  ['0/16B3748', 0x16b3748n],
  ['16/B374D848', 0x16b374d848n],
])('the LSN %s is the WAL position %s', (text, position) => expect(walPosition(text)).toBe(position));
