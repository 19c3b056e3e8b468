import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { type RedisServer, startRedis } from '../../tools/rehearsal/programs/redis';
import { freePort } from '../../tools/support/processes';
import { describeWith } from '../support/needs';
import { makeUsers, PASSWORD, REDIS_PERMISSIONS, TestBed } from '../support/shop';

/** Redis as in ElastiCache: TLS with a certificate for its host name, and a user with a password. */
describeWith('redis-server', 'Redis with TLS', () => {
  const REDIS_PASSWORD = 'p@ss/word';
  let testBed: TestBed;
  let redis: RedisServer;
  let tlsPort: number;
  let database: string;
  let email: string;
  let certificate: string;

  beforeAll(async () => {
    testBed = await TestBed.open();
    certificate = join(testBed.dir, 'redis.crt');
    const key = join(testBed.dir, 'redis.key');
    const pems = await generate([{ name: 'commonName', value: 'localhost' }], {
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
    });
    writeFileSync(certificate, pems.cert);
    writeFileSync(key, pems.private);
    tlsPort = await freePort();
    redis = await startRedis({
      dir: join(testBed.dir, 'redis'),
      settings: {
        'tls-port': String(tlsPort),
        'tls-cert-file': certificate,
        'tls-key-file': key,
        'tls-auth-clients': 'no',
      },
    });
    await redis.command('ACL', 'SETUSER', 'shop', 'on', `>${REDIS_PASSWORD}`, '~*', '&*', ...REDIS_PERMISSIONS);
    await redis.command('ACL', 'SETUSER', 'default', 'off');
    database = await testBed.database();
    // The first server creates the tables.
    await (await testBed.serve(database)).process.stop();
    [email] = (await makeUsers(database, 1)) as [string];
  });

  afterAll(async () => {
    await redis?.stop();
    await testBed?.close();
  });

  /** Logs in and returns the response with the log lines about Redis. */
  async function logIn({ host = 'localhost', password = REDIS_PASSWORD, trusted = true }) {
    const url = `rediss://shop:${encodeURIComponent(password)}@${host}:${tlsPort}`;
    const trust = trusted ? { NODE_EXTRA_CA_CERTS: certificate } : undefined;
    const shop = await testBed.serve(database, { SESSION_STORE: 'redis', REDIS_URL: url, ...trust });
    const visitor = shop.visitor();
    const { status } = await visitor.post('/api/login', { email, password: PASSWORD });
    const me = status === 200 ? (await visitor.get('/api/me')).json.email : undefined;
    const catalogue = (await visitor.get('/api/products')).status;
    await shop.process.stop();
    return { status, me, catalogue, log: shop.log() };
  }

  test('a trusted certificate and the right password: sessions are stored in Redis', async () => {
    expect(await logIn({})).toMatchObject({ status: 200, me: email, catalogue: 200 });
  });

  test.each([
    ['an untrusted certificate authority', { trusted: false }, /self.signed certificate/],
    ['a certificate for another host name', { host: '127.0.0.1' }, /ERR_TLS_CERT_ALTNAME_INVALID/],
    ['a wrong password', { password: 'wrong' }, /WRONGPASS/],
  ])('%s: no session, a working catalogue, and the reason in the log', async (_what, changed, reason) => {
    const { status, catalogue, log } = await logIn(changed);
    expect([status, catalogue]).toEqual([503, 200]);
    expect(log).toMatch(reason);
  });
});
