import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type RedisServer, startRedis } from '../../tools/rehearsal/programs/redis';
import { describeWith } from '../support/needs';
import { Bench, makeUsers, type ShopServer } from '../support/shop';

/** What visitors who browse, buy and look at their orders cost PostgreSQL, by its own log. */
const VISITORS = 10;
const STEPS = 15;

describeWith('redis-server', 'a fleet of two servers', () => {
  let bench: Bench;
  let redis: RedisServer;
  let database: string;
  let servers: ShopServer[];

  beforeAll(async () => {
    bench = await Bench.open({ log_statement: 'all' });
    redis = await startRedis({ dir: join(bench.dir, 'redis') });
    database = await bench.database();
    const env = { SESSION_STORE: 'redis', REDIS_URL: redis.url, MAX_SERVERS: '2' };
    servers = [await bench.serve(database, env), await bench.serve(database, env)];
  });

  afterAll(async () => {
    await redis?.stop();
    await bench?.close();
  });

  /** Statements that read the catalogue, as PostgreSQL has logged them. */
  function catalogueReads(): number {
    const log = readFileSync(join(bench.postgres.dir, 'postgres.log'), 'utf8');
    const list = /execute [^:]+: WITH matching AS/g;
    const product = /execute [^:]+: SELECT id, name, description, [^\n]+ FROM products WHERE id = \$1/g;
    const categories = /execute [^:]+: SELECT category FROM products GROUP BY/g;
    return [list, product, categories].reduce((sum, statement) => sum + (log.match(statement)?.length ?? 0), 0);
  }

  /** Goes through the shop, each page on the other server; returns how many pages of the catalogue there were. */
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

  test('a search that nobody made before is one statement in the log', async () => {
    const [server] = servers as [ShopServer];
    await server.visitor().get('/api/products');
    const before = catalogueReads();
    for (let count = 0; count < 10; count += 1) await server.visitor().get(`/api/products?q=word${count}`);
    expect(catalogueReads() - before).toBe(10);
  });

  test('of the catalogue pages on a mixed journey, less than a fifth reaches PostgreSQL', async () => {
    const emails = await makeUsers(database, VISITORS);
    const before = catalogueReads();
    const pages = await Promise.all(emails.map((email, index) => journey(email, index * 3)));
    const served = pages.reduce((sum, one) => sum + one, 0);
    // Without a cache, each page would be one statement at least.
    expect(catalogueReads() - before).toBeLessThan(served / 5);
  });
});
