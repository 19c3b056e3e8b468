import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type RedisServer, startRedis } from '../../tools/rehearsal/programs/redis';
import { describeWith } from '../support/needs';
import { makeUsers, type ShopServer, TestBed } from '../support/shop';

const VISITORS = 10;
const STEPS = 15;

/** Counts statements per page view in the PostgreSQL log. */
describeWith('redis-server', 'a fleet of two servers', () => {
  let testBed: TestBed;
  let redis: RedisServer;
  let database: string;
  let servers: ShopServer[];

  beforeAll(async () => {
    testBed = await TestBed.open({ log_statement: 'all' });
    redis = await startRedis({ dir: join(testBed.dir, 'redis') });
    database = await testBed.database();
    const env = { SESSION_STORE: 'redis', REDIS_URL: redis.url, MAX_SERVERS: '2' };
    servers = [await testBed.serve(database, env), await testBed.serve(database, env)];
  });

  afterAll(async () => {
    await redis?.stop();
    await testBed?.close();
  });

  /** Counts the catalogue statements in the PostgreSQL log. */
  function catalogueReads(): number {
    const log = readFileSync(join(testBed.postgres.dir, 'postgres.log'), 'utf8');
    const list = /execute [^:]+: WITH matching AS/g;
    const product = /execute [^:]+: SELECT id, name, description, [^\n]+ FROM products WHERE id = \$1/g;
    const categories = /execute [^:]+: SELECT category FROM products GROUP BY/g;
    return [list, product, categories].reduce((sum, statement) => sum + (log.match(statement)?.length ?? 0), 0);
  }

  /** Browses and buys, alternating between the servers. Returns the number of catalogue pages. */
  async function journey(email: string, first: number): Promise<number> {
    let pages = 0;
    const visitor = (servers[0] as ShopServer).visitor();
    const get = async (path: string) => {
      visitor.url = (servers[pages % servers.length] as ShopServer).url;
      expect([path, (await visitor.get(path)).status]).toEqual([path, 200]);
    };
    await visitor.logIn(email);
    for (let step = first; step < first + STEPS; step += 1) {
      const product = 1 + (step % 12);
      for (const path of ['/', '/?category=kitchen', `/products/${product}`, `/api/products/${product}`]) {
        await get(path);
        pages += 1;
      }
      expect((await visitor.add(product)).status).toBe(200);
      await get('/cart');
      if (step % 5 === 0) {
        expect((await visitor.order(`${email} ${step}`)).status).toBe(201);
        await get('/orders');
      }
    }
    return pages;
  }

  test('an uncached search is one statement in the log', async () => {
    const [server] = servers as [ShopServer];
    await server.visitor().get('/api/products');
    const before = catalogueReads();
    for (let count = 0; count < 10; count += 1) await server.visitor().get(`/api/products?q=word${count}`);
    expect(catalogueReads() - before).toBe(10);
  });

  test('less than a fifth of the catalogue pages of a mixed journey reach PostgreSQL', async () => {
    const emails = await makeUsers(database, VISITORS);
    const before = catalogueReads();
    const pages = await Promise.all(emails.map((email, index) => journey(email, index * 3)));
    const served = pages.reduce((sum, one) => sum + one, 0);
    // Without a cache, each page takes at least one statement.
    expect(catalogueReads() - before).toBeLessThan(served / 5);
  });
});
