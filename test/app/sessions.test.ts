import { join } from 'node:path';
import { Redis } from '../../app/data/redis';
import { CarryOver } from '../../app/sessions/carry-over';
import { SessionClient } from '../../app/sessions/session-client';
import { startRedis } from '../../tools/rehearsal/programs/redis';
import { describeWith } from '../support/needs';
import {
  eventually,
  makeUsers,
  PASSWORD,
  REDIS_PERMISSIONS,
  retryOn503,
  type ShopServer,
  sql,
  TestBed,
  Visitor,
} from '../support/shop';

let testBed: TestBed;

beforeAll(async () => {
  testBed = await TestBed.open();
});

afterAll(() => testBed?.close());

/** Sends requests of one visitor to each server in turn. */
class AlternatingVisitor extends Visitor {
  #requests = 0;

  constructor(private readonly servers: readonly ShopServer[]) {
    super('');
  }

  override request(...args: Parameters<Visitor['request']>) {
    this.url = (this.servers[this.#requests % this.servers.length] as ShopServer).url;
    this.#requests += 1;
    return super.request(...args);
  }
}

/** The contract of every session store, with requests alternating between two servers. */
async function journey(database: string, servers: readonly ShopServer[], store: string): Promise<void> {
  for (const server of servers) expect((await server.visitor().get('/whoami')).json.sessionStore).toBe(store);
  const [email] = await makeUsers(database, 1);
  const visitor = new AlternatingVisitor(servers);
  expect((await visitor.add(1)).status).toBe(200);
  expect((await visitor.add(2)).json.items).toHaveLength(2);
  const anonymousSid = visitor.cookies.get('sid');
  await visitor.logIn(email as string);
  expect(visitor.cookies.get('sid')).not.toBe(anonymousSid);
  for (let count = 0; count < 4; count += 1) {
    expect((await visitor.get('/api/me')).json.email).toBe(email);
    expect((await visitor.get('/api/cart')).json.items).toHaveLength(2);
    const page = await visitor.get('/');
    expect([page.text.includes(email as string), page.text.includes(`<dd>${store}</dd>`)]).toEqual([true, true]);
  }
  const adds = await Promise.all(Array.from({ length: 20 }, () => retryOn503(() => visitor.add(3))));
  expect(adds.map(({ status }) => status)).toEqual(Array(20).fill(200));
  expect((await visitor.get('/api/cart')).json.items).toMatchObject([{}, {}, { productId: 3, quantity: 20 }]);
  expect((await visitor.order(`key-${store}`)).status).toBe(201);
  expect((await visitor.post('/api/logout')).status).toBe(204);
  expect(visitor.cookies.has('sid')).toBe(false);
  for (let count = 0; count < 2; count += 1) expect((await visitor.get('/api/me')).status).toBe(401);
}

describe('sessions in cookies', () => {
  let database: string;
  let servers: ShopServer[];

  beforeAll(async () => {
    database = await testBed.database();
    servers = await Promise.all([1, 2].map(() => testBed.serve(database, { SESSION_STORE: 'cookie' })));
  });

  test('work across two servers without server-side storage', async () => {
    await journey(database, servers, 'cookie');
    expect(await sql(database, 'SELECT 1 FROM sessions')).toEqual([]);
  });

  test('are encrypted, and small even with the longest email address', async () => {
    const visitor = (servers[0] as ShopServer).visitor();
    const email = `${'x'.repeat(240)}@example.com`;
    expect((await visitor.post('/api/signup', { email, password: PASSWORD })).status).toBe(201);
    const cookie = visitor.cookies.get('sid') as string;
    expect(cookie.length).toBeLessThan(1_024);
    const parts = cookie.split('.').map((part) => Buffer.from(part, 'base64url').toString('latin1'));
    expect(JSON.parse(parts[0] as string)).toEqual({ alg: 'dir', enc: 'A256GCM' });
    expect(parts.join('')).not.toContain('xxxx');
    expect((await visitor.get('/api/me')).json.email).toBe(email);
  });

  test('last for a day, are HttpOnly, and are Secure over HTTPS', async () => {
    const server = await testBed.serve(database, { SESSION_STORE: 'cookie', TRUST_PROXY: '1' });
    const headers = { 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'https' };
    const answer = await server.visitor().post('/api/cart/items', { productId: 1, quantity: 1 }, headers);
    const attributes = answer.headers.get('set-cookie')?.split('; ').slice(1);
    expect(attributes).toEqual(['Max-Age=86400', 'Path=/', 'HttpOnly', 'Secure', 'SameSite=Lax']);
    const open = await (servers[0] as ShopServer).visitor().add(1);
    expect(open.headers.get('set-cookie')).not.toContain('Secure');
  });

  test('are ignored if tampered with, signed with another secret, or too long', async () => {
    const [server] = servers as [ShopServer];
    const visitor = server.visitor();
    const email = await visitor.signUp();
    const good = visitor.cookies.get('sid') as string;
    const foreign = await testBed.serve(database, {
      SESSION_STORE: 'cookie',
      SESSION_SECRET: 'another secret, which is long enough too',
    });
    const signed = await testBed.serve(database);
    const stranger = signed.visitor();
    await stranger.signUp();
    const altered = [...good].map((_, index) => index).filter((index) => index % 37 === 0 && good[index] !== '.');
    const bad = [
      ...altered.map((index) => `${good.slice(0, index)}${good[index] === 'A' ? 'B' : 'A'}${good.slice(index + 1)}`),
      good.slice(0, -1),
      `${good}${'A'.repeat(4_000)}`,
      'eyJhbGciOiJub25lIn0.e30.',
      stranger.cookies.get('sid') as string,
    ];
    for (const cookie of bad) {
      visitor.cookies.set('sid', cookie);
      expect([cookie, (await visitor.get('/api/me')).status]).toEqual([cookie, 401]);
      expect((await visitor.get('/')).text).not.toContain(email);
    }
    const elsewhere = foreign.visitor();
    elsewhere.cookies.set('sid', good);
    expect((await elsewhere.get('/api/me')).status).toBe(401);
    visitor.cookies.set('sid', good);
    expect((await visitor.get('/api/me')).json.email).toBe(email);
  });

  test('cannot be revoked: a copy stays valid after logout until it expires', async () => {
    const visitor = (servers[0] as ShopServer).visitor();
    const email = await visitor.signUp();
    const copy = (servers[1] as ShopServer).visitor();
    copy.cookies.set('sid', visitor.cookies.get('sid') as string);
    await visitor.post('/api/logout');
    expect((await visitor.get('/api/me')).status).toBe(401);
    expect((await copy.get('/api/me')).json.email).toBe(email);
  });
});

test('sessions in PostgreSQL work across two servers', async () => {
  const database = await testBed.database();
  const servers = await Promise.all([testBed.serve(database), testBed.serve(database)]);
  await journey(database, servers, 'postgres');
});

describeWith('redis-server', 'sessions in Redis', () => {
  let redis: Awaited<ReturnType<typeof startRedis>>;
  let env: Record<string, string>;

  beforeAll(async () => {
    redis = await startRedis({ dir: join(testBed.dir, 'redis') });
    env = { SESSION_STORE: 'redis', REDIS_URL: redis.url, PHASE: '3' };
  });

  afterAll(() => redis?.stop());

  test('work across two servers', async () => {
    const database = await testBed.database();
    await journey(database, await Promise.all([1, 2].map(() => testBed.serve(database, env))), 'redis');
    expect(await sql(database, 'SELECT 1 FROM sessions')).toEqual([]);
  });

  test('expire in Redis 14 days after they started', async () => {
    const shop = await testBed.serve(await testBed.database(), env);
    await redis.command('FLUSHALL');
    await shop.visitor().add(1);
    const [key] = (await redis.command('KEYS', 'session:*')).split('\n');
    const days = Number(await redis.command('TTL', key as string)) / 86_400;
    expect(days).toBeGreaterThan(13.9);
    expect(days).toBeLessThanOrEqual(14);
  });

  test('are revoked by logout, including copies of the cookie', async () => {
    const shop = await testBed.serve(await testBed.database(), env);
    const visitor = shop.visitor();
    await visitor.signUp();
    const copy = shop.visitor();
    copy.cookies.set('sid', visitor.cookies.get('sid') as string);
    expect((await copy.get('/api/me')).status).toBe(200);
    await visitor.post('/api/logout');
    expect((await copy.get('/api/me')).status).toBe(401);
  });

  test('stay ended if a write of an earlier request reaches Redis after the logout', async () => {
    const shop = await testBed.serve(await testBed.database(), env);
    const visitor = shop.visitor();
    await visitor.signUp();
    const sid = visitor.cookies.get('sid') as string;
    const copy = shop.visitor();
    copy.cookies.set('sid', sid);
    const key = `session:${/^s:(.*)\./.exec(decodeURIComponent(sid))?.[1]}`;
    const value = await redis.command('GET', key);
    expect(value).toContain('email');
    expect((await visitor.post('/api/logout')).status).toBe(204);
    const other = new Redis({ url: redis.url, minReplicas: 0 }, () => {});
    try {
      await other.settled();
      const client = new SessionClient(other.commands);
      expect(await client.save(key, value, 60_000)).toBe(false);
      expect(await client.get(key)).toBeNull();
    } finally {
      other.close();
    }
    expect((await copy.get('/api/me')).status).toBe(401);
    // The marker of the removal expires.
    expect(Number(await redis.command('TTL', key))).toBeLessThanOrEqual(60);
  });

  test('are not looked up if the signature is invalid', async () => {
    const shop = await testBed.serve(await testBed.database(), env);
    const visitor = shop.visitor();
    await visitor.signUp();
    const sid = visitor.cookies.get('sid') as string;
    for (const cookie of [sid.slice(0, -1), `x${sid}`, sid.split('.')[0] as string, 'nothing']) {
      visitor.cookies.set('sid', cookie);
      expect((await visitor.get('/api/me')).status).toBe(401);
    }
  });

  // Concurrently, because the last test waits.
  test.concurrent('count failed logins across all servers', async () => {
    const database = await testBed.database();
    const servers = await Promise.all([1, 2].map(() => testBed.serve(database, env)));
    const [email, other] = await makeUsers(database, 2);
    const statuses: number[] = [];
    for (let count = 0; count < 12; count += 1) {
      const visitor = (servers[count % 2] as ShopServer).visitor();
      const answer = await visitor.post('/api/login', { email, password: 'wrong' });
      statuses.push(answer.status);
      if (answer.status === 429) expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect(statuses).toEqual([...Array(10).fill(401), 429, 429]);
    await (servers[0] as ShopServer).visitor().logIn(other as string);
    expect(await sql(database, 'SELECT 1 FROM login_attempts')).toEqual([]);
  });

  test.concurrent('reset the count after a successful login', async () => {
    const database = await testBed.database();
    const shop = await testBed.serve(database, env);
    const [email] = await makeUsers(database, 1);
    const fail = () => shop.visitor().post('/api/login', { email, password: 'wrong' });
    for (let count = 0; count < 9; count += 1) await fail();
    await shop.visitor().logIn(email as string);
    for (let count = 0; count < 10; count += 1) expect((await fail()).status).toBe(401);
    expect((await fail()).status).toBe(429);
  });

  test.concurrent('share Redis with the catalogue cache', async () => {
    const database = await testBed.database();
    const servers = await Promise.all([1, 2].map(() => testBed.serve(database, env)));
    const [first, second] = servers as [ShopServer, ShopServer];
    const answer = await first.visitor().get('/api/products?category=kitchen');
    await sql(database, "UPDATE products SET name = 'Renamed' WHERE category = 'kitchen'");
    expect((await second.visitor().get('/api/products?category=kitchen')).json).toEqual(answer.json);
    await eventually(async () =>
      (await second.visitor().get('/api/products?category=kitchen')).text.includes('Renamed'),
    );
  });
});

describeWith('redis-server', 'migration of sessions from PostgreSQL to Redis', () => {
  let redis: Awaited<ReturnType<typeof startRedis>>;
  let replica: Awaited<ReturnType<typeof startRedis>>;
  let database: string;
  let before: ShopServer;
  let after: ShopServer[];

  beforeAll(async () => {
    redis = await startRedis({ dir: join(testBed.dir, 'primary') });
    replica = await startRedis({ dir: join(testBed.dir, 'replica'), primaryPort: redis.port });
    database = await testBed.database();
    before = await testBed.serve(database);
    // A Redis user with the permissions of phase 3.
    await redis.command('ACL', 'SETUSER', 'shop', 'on', '>p@ss/word', '~*', '&*', ...REDIS_PERMISSIONS);
    const url = `redis://shop:${encodeURIComponent('p@ss/word')}@127.0.0.1:${redis.port}`;
    const env = { SESSION_STORE: 'redis', REDIS_URL: url, REDIS_MIN_REPLICAS: '1' };
    after = await Promise.all([1, 2].map(() => testBed.serve(database, env)));
  });

  afterAll(async () => {
    await redis?.stop();
    await replica?.stop();
  });

  /** Creates a visitor with a session in PostgreSQL. */
  async function withPostgresSession(): Promise<{ visitor: Visitor; email: string }> {
    const [email] = await makeUsers(database, 1);
    const visitor = before.visitor();
    await visitor.logIn(email as string);
    await visitor.add(1);
    return { visitor, email: email as string };
  }

  const inPostgres = async () => (await sql(database, 'SELECT 1 FROM sessions')).length;

  test('keeps logins and carts, and moves sessions with their remaining lifetime', async () => {
    const { visitor, email } = await withPostgresSession();
    await sql(database, `UPDATE sessions SET expire = now() + interval '1 day'`);
    const count = await inPostgres();
    for (const server of [...after, ...after]) {
      visitor.url = server.url;
      expect((await retryOn503(() => visitor.get('/api/me'))).json).toMatchObject({ email });
      expect((await visitor.get('/api/cart')).json.items).toHaveLength(1);
    }
    expect(await inPostgres()).toBe(count - 1);
    const [key] = (await redis.command('KEYS', 'session:*')).split('\n');
    const seconds = Number(await redis.command('TTL', key as string));
    expect(seconds).toBeGreaterThan(85_000);
    expect(seconds).toBeLessThanOrEqual(86_400);
    expect(await replica.command('EXISTS', key as string)).toBe('1');
  });

  test('a catalogue page also migrates the session', async () => {
    const { visitor, email } = await withPostgresSession();
    visitor.url = (after[0] as ShopServer).url;
    await eventually(async () => (await visitor.get('/')).text.includes(email));
    expect((await visitor.get('/api/me')).json.email).toBe(email);
  });

  test('concurrent requests to both servers keep the same session', async () => {
    const { visitor, email } = await withPostgresSession();
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) => {
        const tab = (after[index % 2] as ShopServer).visitor();
        tab.cookies.set('sid', visitor.cookies.get('sid') as string);
        return retryOn503(() => tab.get('/api/me'));
      }),
    );
    expect(answers.map((answer) => answer.json.email)).toEqual(Array(40).fill(email));
  });

  test('logout holds even if an earlier migration was interrupted', async () => {
    const { visitor } = await withPostgresSession();
    const [row] = await sql(database, 'SELECT * FROM sessions ORDER BY expire DESC LIMIT 1');
    const [server] = after as [ShopServer];
    visitor.url = server.url;
    expect((await retryOn503(() => visitor.get('/api/me'))).status).toBe(200);
    await sql(database, 'INSERT INTO sessions (sid, sess, expire) VALUES ($1, $2, $3)', [
      row.sid,
      row.sess,
      row.expire,
    ]);
    const copy = server.visitor();
    copy.cookies.set('sid', visitor.cookies.get('sid') as string);
    expect((await retryOn503(() => visitor.post('/api/logout'))).status).toBe(204);
    expect((await copy.get('/api/me')).status).toBe(401);
  });

  test('logout holds under concurrent requests', async () => {
    for (let round = 0; round < 15; round += 1) {
      const { visitor } = await withPostgresSession();
      const tabs = Array.from({ length: 8 }, (_, index) => {
        const tab = (after[index % 2] as ShopServer).visitor();
        tab.cookies.set('sid', visitor.cookies.get('sid') as string);
        return tab;
      });
      const [leaving, ...others] = tabs as [Visitor, ...Visitor[]];
      const [left] = await Promise.all([
        retryOn503(() => leaving.post('/api/logout')),
        ...others.map((tab) => tab.get('/api/me')),
      ]);
      expect(left.status).toBe(204);
      for (const tab of others) expect((await tab.get('/api/me')).status).toBe(401);
    }
  });
});

describe('lookup of sessions in PostgreSQL', () => {
  /** Returns a migration without a matching session, and counts its queries. */
  function carryOver(live: boolean, inRedis: string | null = null) {
    const queries = { live: 0, byId: 0 };
    const database = {
      query: async () => {
        queries.live += 1;
        return [{ found: live }];
      },
      transaction: (work: (tx: unknown) => unknown) =>
        work({
          query: async () => {
            queries.byId += 1;
            return [];
          },
        }),
    };
    return { queries, carryOver: new CarryOver({ get: async () => inRedis } as never, database as never) };
  }

  test('takes one query for an unknown id, even if it repeats', async () => {
    const { queries, carryOver: lookup } = carryOver(true);
    for (let count = 0; count < 100; count += 1) expect(await lookup.take('gone', 'session:gone')).toBeNull();
    expect(queries.byId).toBe(1);
  });

  test('finds the last session in Redis if another server has just migrated it', async () => {
    const session = '{}';
    expect(await carryOver(false, session).carryOver.take('last', 'session:last')).toBe(session);
  });

  test('stops when no live session remains', async () => {
    const { queries, carryOver: lookup } = carryOver(false);
    for (let id = 0; id < 100; id += 1) {
      expect(await lookup.take(`${id}`, `session:${id}`)).toBeNull();
      await lookup.forget(`${id}`);
    }
    expect(queries.byId).toBe(0);
    // At most every 5 s, and the test takes less than 45 s.
    expect(queries.live).toBeLessThan(10);
  });
});
