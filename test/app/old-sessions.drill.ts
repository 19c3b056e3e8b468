import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { sign } from 'cookie-signature';
import { startRedis } from '../../tools/rehearsal/programs/redis';
import { describeWith } from '../support/needs';
import { makeUsers, SESSION_SECRET, type ShopServer, sql, TestBed, type Visitor } from '../support/shop';

/** Sessions that the last version before Express wrote, signed with {@link SESSION_SECRET}: a new release logs out no visitor. */
const IN_POSTGRES = {
  cookie: 'Kf6AuyDDGJKqP4SiEdfLoHogx03LAFUq.Pdx8YFog3aplQWKE1%2FMPAiMYntJyh7StI5gokrPVSWs',
  id: 'Kf6AuyDDGJKqP4SiEdfLoHogx03LAFUq',
  userId: '58811c32-05a9-406c-b594-7d3871f3b068',
  email: 'postgres@example.com',
  cartId: '235c1080-fe93-4ed3-b2af-7db7d7b2859a',
};
const IN_REDIS = {
  cookie: 't1vOY0roechwhH0_ya03dR8v14V2oS3R.6NEtXWdfRSWzyEPhpnBe00dcx%2FAAc303h1uDKAapYJA',
  id: 't1vOY0roechwhH0_ya03dR8v14V2oS3R',
  userId: '5d984b04-1882-4567-9374-0e07d5613072',
  email: 'redis@example.com',
  cartId: 'e0bfbbdf-6a4c-40c1-adf0-d18f730f4af5',
};
const IN_COOKIE =
  'eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..Ebfp9M0zlld_MHSr.wv5DZDQ5Fq3IvXceZdIXfEQw1vPi14LeFkS4ap0PxBo9mOj0NWoCGaJX-' +
  'rizAxlgWi22lfZF8xNVh4Mbp_68K9__P9HUybG8UxMpsH8NNGCfjmX96zSGaBcpLCnBnOTHrujoiurIraJ_Swt4fclKpb15sARXsQeiyKOCFIizPKlI8Vj' +
  'Ougcf8Pp2iUYd4IQ.l2E_UGYNsORvXNFaPX-zLw';

type Recorded = typeof IN_POSTGRES;

const DAY = 24 * 3_600_000;

let testBed: TestBed;

beforeAll(async () => {
  testBed = await TestBed.open();
});

afterAll(() => testBed?.close());

/** The recorded JSON, with an expiration in the future. */
function jsonOf({ userId, email, cartId }: Recorded): string {
  const cookie = {
    expires: new Date(Date.now() + DAY),
    originalMaxAge: 14 * DAY,
    sameSite: 'lax',
    secure: false,
    path: '/',
    httpOnly: true,
    domain: null,
  };
  return JSON.stringify({ cookie, userId, email, cartId });
}

async function insertUser(database: string, { userId, email, cartId }: Omit<Recorded, 'cookie' | 'id'>): Promise<void> {
  const [other] = await makeUsers(database, 1);
  await sql(database, 'UPDATE users SET id = $1, email = $2 WHERE email = $3', [userId, email, other]);
  await sql(database, 'INSERT INTO carts (id, user_id) VALUES ($1, $2)', [cartId, userId]);
}

function insertSession(database: string, session: Recorded): Promise<unknown> {
  const values = [session.id, jsonOf(session), new Date(Date.now() + DAY)];
  return sql(database, 'INSERT INTO sessions (sid, sess, expire) VALUES ($1, $2, $3)', values);
}

function visitorWith(shop: ShopServer, cookie: string): Visitor {
  const visitor = shop.visitor();
  visitor.cookies.set('sid', cookie);
  return visitor;
}

const withPrefix = (cookie: string) => `s%3A${cookie}`;

/** Opens a shop with a recorded session. */
type OpenShop = () => Promise<{ shop: ShopServer; session: Recorded; database: string }>;

function keepsItsPromises(open: OpenShop): void {
  test('stays logged in, on pages and in the API, and keeps its cart', async () => {
    const { shop, session, database } = await open();
    const visitor = visitorWith(shop, session.cookie);
    expect((await visitor.get('/api/me')).json).toEqual({ id: session.userId, email: session.email });
    expect((await visitor.add(1)).json.items).toMatchObject([{ productId: 1, quantity: 1 }]);
    expect((await visitor.add(2)).json.items).toHaveLength(2);
    for (const path of ['/', '/cart']) expect((await visitor.get(path)).text).toContain(session.email);
    expect((await visitor.order('old session')).status).toBe(201);
    expect(visitor.cookies.get('sid')).toBe(session.cookie);
    expect((await visitor.get('/api/me')).status).toBe(200);
    expect(await sql(database, 'SELECT user_id FROM carts')).toEqual([{ user_id: session.userId }]);
  });

  test('is ended by a logout, including copies of the cookie', async () => {
    const { shop, session } = await open();
    const visitor = visitorWith(shop, session.cookie);
    expect((await visitor.post('/api/logout')).status).toBe(204);
    expect(visitor.cookies.has('sid')).toBe(false);
    expect((await visitorWith(shop, session.cookie).get('/api/me')).status).toBe(401);
    expect((await visitorWith(shop, withPrefix(session.cookie)).get('/api/me')).status).toBe(401);
  });

  test('gets another id at a login', async () => {
    const { shop, session } = await open();
    const visitor = visitorWith(shop, session.cookie);
    await visitor.logIn(session.email);
    expect(visitor.cookies.get('sid')).toMatch(/^s%3A(?!Kf6AuyDD|t1vOY0ro)/);
    expect((await visitor.get('/api/me')).json.email).toBe(session.email);
    expect((await visitorWith(shop, session.cookie).get('/api/me')).status).toBe(401);
  });

  test('is found by its id only with a valid signature, with and without the prefix', async () => {
    const { shop, session } = await open();
    const foreign = encodeURIComponent(sign(session.id, 'another secret, which is long enough too'));
    const bad = [`${session.cookie.slice(0, -1)}B`, session.id, `x${session.cookie}`, foreign, `${session.id}.`];
    for (const cookie of [...bad, ...bad.map(withPrefix)]) {
      const visitor = visitorWith(shop, cookie);
      expect([cookie, (await visitor.get('/api/me')).status]).toEqual([cookie, 401]);
      // The session middleware, too: it starts another session.
      expect((await visitor.add(1)).status).toBe(200);
      expect(visitor.cookies.get('sid')).not.toBe(cookie);
      expect((await visitor.get('/')).text).not.toContain(session.email);
    }
    expect((await visitorWith(shop, withPrefix(session.cookie)).get('/api/me')).json.email).toBe(session.email);
    expect((await visitorWith(shop, session.cookie).get('/api/me')).json.email).toBe(session.email);
  });
}

describe('a session of an earlier version in PostgreSQL', () => {
  keepsItsPromises(async () => {
    const database = await testBed.database();
    const shop = await testBed.serve(database);
    await insertUser(database, IN_POSTGRES);
    await insertSession(database, IN_POSTGRES);
    return { shop, session: IN_POSTGRES, database };
  });
});

describeWith('redis-server', 'with Redis,', () => {
  let redis: Awaited<ReturnType<typeof startRedis>>;

  beforeAll(async () => {
    redis = await startRedis({ dir: join(testBed.dir, 'redis') });
  });

  afterAll(() => redis?.stop());

  async function open(session: Recorded) {
    const database = await testBed.database();
    const shop = await testBed.serve(database, { SESSION_STORE: 'redis', REDIS_URL: redis.url, PHASE: '3' });
    await insertUser(database, session);
    await redis.command('FLUSHALL');
    return { shop, session, database };
  }

  describe('a session of an earlier version in Redis', () => {
    keepsItsPromises(async () => {
      const opened = await open(IN_REDIS);
      await redis.command('SET', `session:${IN_REDIS.id}`, jsonOf(IN_REDIS), 'PX', String(DAY));
      return opened;
    });
  });

  describe('a session of an earlier version in PostgreSQL, which moves to Redis,', () => {
    keepsItsPromises(async () => {
      const opened = await open(IN_POSTGRES);
      await insertSession(opened.database, IN_POSTGRES);
      return opened;
    });
  });
});

test('a session of an earlier version in a cookie stays logged in', async () => {
  const key = new Uint8Array(hkdfSync('sha256', SESSION_SECRET, '', 'shop: session in a cookie', 32));
  const claims = decrypt(IN_COOKIE, key);
  expect(claims).toEqual({
    userId: expect.any(String),
    email: 'cookie@example.com',
    cartId: expect.any(String),
    exp: expect.any(Number),
  });
  const database = await testBed.database();
  const shop = await testBed.serve(database, { SESSION_STORE: 'cookie' });
  await insertUser(database, claims);
  const expiringIn = (ms: number) => encrypt({ ...claims, exp: Math.floor((Date.now() + ms) / 1000) }, key);
  const visitor = visitorWith(shop, expiringIn(DAY));
  expect((await visitor.get('/api/me')).json).toEqual({ id: claims.userId, email: claims.email });
  expect((await visitor.add(1)).json.items).toHaveLength(1);
  expect((await visitor.get('/')).text).toContain(claims.email);
  expect((await visitorWith(shop, expiringIn(-DAY)).get('/api/me')).status).toBe(401);
});

/** Compact JWEs with `dir` and `A256GCM`: header, empty key, nonce, ciphertext and tag (RFC 7516). */
function decrypt(jwe: string, key: Uint8Array) {
  const [header = '', , nonce = '', ciphertext = '', tag = ''] = jwe.split('.');
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(nonce, 'base64url'));
  decipher.setAAD(Buffer.from(header)).setAuthTag(Buffer.from(tag, 'base64url'));
  const json = decipher.update(Buffer.from(ciphertext, 'base64url')).toString() + decipher.final('utf8');
  return JSON.parse(json) as Omit<Recorded, 'cookie' | 'id'> & { exp: number };
}

function encrypt(claims: unknown, key: Uint8Array): string {
  const header = IN_COOKIE.split('.')[0] as string;
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(header));
  const ciphertext = Buffer.concat([cipher.update(JSON.stringify(claims)), cipher.final()]);
  const encoded = [nonce, ciphertext, cipher.getAuthTag()].map((part) => part.toString('base64url'));
  return [header, '', ...encoded].join('.');
}
