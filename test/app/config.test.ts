import { scryptSync } from 'node:crypto';
import { availableParallelism, hostname } from 'node:os';
import fc from 'fast-check';
import { networkOf } from '../../app/accounts/login-limit';
import { hashPassword, verifyPassword } from '../../app/accounts/passwords';
import { ConfigError, readConfig } from '../../app/config';
import { poolSize } from '../../app/data/db';
import { CONNECTION_SHARE } from '../../lib/constants';

const GOOD = { DATABASE_URL: 'postgres://shop:hush@localhost/shop', SESSION_SECRET: 'x'.repeat(32) };

function problems(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.lines;
    throw error;
  }
}

describe('the environment', () => {
  test('requires a database and a session secret, and has defaults for the rest', () => {
    expect(readConfig(GOOD)).toEqual({
      port: 8080,
      host: '0.0.0.0',
      phase: 1,
      database: { value: GOOD.DATABASE_URL },
      replicas: { urls: [] },
      sessionStore: 'postgres',
      sessionSecret: { value: GOOD.SESSION_SECRET },
      webConcurrency: availableParallelism(),
      maxServers: 1,
      trustProxy: 0,
      viewerProtocol: 'forwarded',
      assetsUrl: '/assets',
      metricsPeriod: 60,
      serverName: hostname(),
      loadShedding: true,
      catalogueCache: true,
      availabilityZone: 'local',
      logLevel: 'info',
    });
  });

  test('accepts a Redis with its password in a secret and a minimum number of replicas per write', () => {
    const arn = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:redis-AbCdEf';
    const redis = { REDIS_URL: 'rediss://master.shop.cache:6379', REDIS_SECRET_ARN: arn, REDIS_MIN_REPLICAS: '1' };
    expect(readConfig({ ...GOOD, SESSION_STORE: 'redis', ...redis })).toMatchObject({
      sessionStore: 'redis',
      redis: { url: 'rediss://master.shop.cache:6379', secretArn: arn, minReplicas: 1 },
    });
  });

  test('accepts secrets by ARN', () => {
    const arn = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-AbCdEf';
    const config = readConfig({ DATABASE_SECRET_ARN: arn, SESSION_SECRET_ARN: arn });
    expect(config.database).toEqual({ arn });
    expect(config.sessionSecret).toEqual({ arn });
  });

  test('treats an empty value as unset', () => {
    expect(readConfig({ ...GOOD, PORT: '', DATABASE_SECRET_ARN: '' }).port).toBe(8080);
  });

  test.each([
    ['PORT', 'abc', 'PORT must be an integer from 0 to 65535, got "abc".'],
    ['PORT', '80.5', 'PORT must be an integer from 0 to 65535, got "80.5".'],
    ['PORT', '65536', 'PORT must be an integer from 0 to 65535, got "65536".'],
    ['PHASE', '6', 'PHASE must be an integer from 1 to 5, got "6".'],
    ['SESSION_STORE', 'disk', 'SESSION_STORE must be postgres, redis, cookie or memory, got "disk".'],
    ['SESSION_STORE', 'redis', 'REDIS_URL must be set when SESSION_STORE is redis.'],
    ['REDIS_URL', 'http://u:hush@cache', 'REDIS_URL must be a redis:// or rediss:// URL.'],
    ['REDIS_SECRET_ARN', 'arn', 'REDIS_SECRET_ARN must be the ARN of a secret in AWS Secrets Manager, got "arn".'],
    [
      'REDIS_SECRET_ARN',
      'arn:aws:secretsmanager:eu-west-1:123456789012:secret:redis',
      'REDIS_URL must be set when REDIS_SECRET_ARN is set.',
    ],
    [
      'REDIS_MIN_REPLICAS',
      'all',
      'REDIS_MIN_REPLICAS must be an integer from 0 to 5 (replicas that confirm a session), got "all".',
    ],
    ['WEB_CONCURRENCY', '0', 'WEB_CONCURRENCY must be an integer from 1 to 512 (processes), got "0".'],
    ['MAX_SERVERS', '-1', 'MAX_SERVERS must be an integer from 1 to 10000 (servers), got "-1".'],
    ['TRUST_PROXY', 'true', 'TRUST_PROXY must be an integer from 0 to 10 (proxies in front), got "true".'],
    [
      'ASSETS_URL',
      'https://cdn.example/',
      'ASSETS_URL must be an http(s) URL or a path, without a trailing slash, got "https://cdn.example/".',
    ],
    ['LOG_LEVEL', 'loud', 'LOG_LEVEL must be fatal, error, warn, info, debug, trace or silent, got "loud".'],
    ['QUEUE_URL', 'jobs', 'QUEUE_URL must be the http(s) URL of an SQS queue, got "jobs".'],
    [
      'DATABASE_SECRET_ARN',
      'arn',
      'DATABASE_SECRET_ARN must be the ARN of a secret in AWS Secrets Manager, got "arn".',
    ],
  ])('rejects %s=%s in one line', (name, value, line) => {
    expect(problems({ ...GOOD, [name]: value })).toContain(line);
  });

  test('accepts replicas as URLs, or as hosts that share the secret of the primary', () => {
    const urls = 'postgres://shop@one/shop,postgresql://shop@two/shop';
    expect(readConfig({ ...GOOD, DATABASE_REPLICA_URLS: urls }).replicas).toEqual({ urls: urls.split(',') });
    const arn = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-AbCdEf';
    const hosts = { ...GOOD, DATABASE_URL: '', DATABASE_SECRET_ARN: arn, DATABASE_REPLICA_HOSTS: 'one.rds,two.rds' };
    expect(readConfig(hosts).replicas).toEqual({ hosts: ['one.rds', 'two.rds'] });
    expect(problems({ ...GOOD, DATABASE_REPLICA_HOSTS: 'one.rds' })).toEqual([
      'DATABASE_SECRET_ARN must be set when DATABASE_REPLICA_HOSTS is set.',
    ]);
    expect(problems({ ...GOOD, DATABASE_REPLICA_URLS: 'postgres://u:hush@one/shop,two' })).toEqual([
      'DATABASE_REPLICA_URLS must be comma-separated postgres:// URLs.',
    ]);
  });

  test('accepts a connection pooler and the protocol of the visitors', () => {
    const arn = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-AbCdEf';
    const proxied = { ...GOOD, DATABASE_URL: '', DATABASE_SECRET_ARN: arn, DATABASE_PROXY_HOST: 'proxy.rds' };
    expect(readConfig(proxied).databaseProxy).toEqual({ host: 'proxy.rds' });
    expect(problems({ ...GOOD, DATABASE_PROXY_HOST: 'proxy.rds' })).toEqual([
      'DATABASE_SECRET_ARN must be set when DATABASE_PROXY_HOST is set.',
    ]);
    const url = 'postgres://shop:hush@localhost:6432/shop';
    expect(readConfig({ ...GOOD, DATABASE_PROXY_URL: url }).databaseProxy).toEqual({ url });
    expect(problems({ ...proxied, DATABASE_PROXY_HOST: '', DATABASE_PROXY_URL: url })).toEqual([
      'DATABASE_URL must be set when DATABASE_PROXY_URL is set.',
    ]);
    expect([readConfig(GOOD).viewerProtocol, readConfig({ ...GOOD, VIEWER_PROTOCOL: 'https' }).viewerProtocol]).toEqual(
      ['forwarded', 'https'],
    );
    expect(problems({ ...GOOD, VIEWER_PROTOCOL: 'http' })).toEqual([
      'VIEWER_PROTOCOL must be forwarded (from X-Forwarded-Proto) or https, got "http".',
    ]);
  });

  test('reports every invalid value, not only the first', () => {
    expect(problems({ ...GOOD, PORT: 'abc', PHASE: '9', TRUST_PROXY: '-1' })).toHaveLength(3);
  });

  test('accepts each secret in exactly one form', () => {
    expect(problems({})).toEqual([
      'DATABASE_URL or DATABASE_SECRET_ARN must be set.',
      'SESSION_SECRET or SESSION_SECRET_ARN must be set.',
    ]);
    const arn = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-AbCdEf';
    expect(problems({ ...GOOD, SESSION_SECRET_ARN: arn })).toEqual([
      'Set SESSION_SECRET or SESSION_SECRET_ARN, not both.',
    ]);
  });

  test('never prints a secret', () => {
    const lines = problems({ DATABASE_URL: 'mysql://shop:hush@localhost', SESSION_SECRET: 'short and hush' });
    expect(lines).toEqual([
      'DATABASE_URL must be a postgres:// URL.',
      'SESSION_SECRET must be at least 32 characters long.',
    ]);
  });
});

describe('pool sizes', () => {
  const limits = fc.record({
    maxConnections: fc.integer({ min: 10, max: 16_000 }),
    reserved: fc.integer({ min: 0, max: 9 }),
  });

  test('all pools together stay within their share of the connections, unless each process has only one', () => {
    fc.assert(
      fc.property(limits, fc.integer({ min: 1, max: 5_000 }), (given, processes) => {
        const usable = Math.floor((given.maxConnections - given.reserved) * CONNECTION_SHARE);
        fc.pre(processes <= usable);
        expect(poolSize(given, processes) * processes).toBeLessThanOrEqual(usable);
      }),
    );
  });

  test('each process gets 1 to 20 connections, and more processes never get more each', () => {
    fc.assert(
      fc.property(limits, fc.integer({ min: 1, max: 5_000 }), (given, processes) => {
        const size = poolSize(given, processes);
        expect(size).toBeGreaterThanOrEqual(1);
        expect(size).toBeLessThanOrEqual(20);
        expect(poolSize(given, processes + 1)).toBeLessThanOrEqual(size);
      }),
    );
  });

  test('10 processes on a default PostgreSQL get 7 connections each', () => {
    expect(poolSize({ maxConnections: 100, reserved: 3 }, 10)).toBe(7);
  });
});

describe('passwords', () => {
  const salt = Buffer.alloc(16, 7);
  const hash = scryptSync('old', salt, 32, { N: 1024, r: 8, p: 1 });
  const CHEAP = `$scrypt$ln=10,r=8,p=1$${salt.toString('base64')}$${hash.toString('base64')}`;

  test('are stored as scrypt hashes with parameters and a unique salt', async () => {
    const [one, two] = await Promise.all([hashPassword('open sesame'), hashPassword('open sesame')]);
    expect(one).toMatch(/^\$scrypt\$ln=14,r=8,p=5\$[\w+/]{22}==\$[\w+/]{43}=$/);
    expect(one).not.toBe(two);
  });

  test('verify in any Unicode normalization', async () => {
    const stored = await hashPassword('caf\u00e9 noir');
    expect(await verifyPassword('cafe\u0301 noir', stored)).toBe(true);
    expect(await verifyPassword('cafe noir', stored)).toBe(false);
    expect(await verifyPassword('caf\u00e9 noir', undefined)).toBe(false);
  });

  test('still verify when hashed with another cost', async () => {
    expect(await verifyPassword('old', CHEAP)).toBe(true);
    expect(await verifyPassword('new', CHEAP)).toBe(false);
  });

  test('wait in a bounded queue', async () => {
    const results = await Promise.allSettled(Array.from({ length: 72 }, () => verifyPassword('old', CHEAP)));
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused).toHaveLength(8);
    expect(refused[0]).toMatchObject({ reason: { statusCode: 503, retryAfter: 1 } });
  });
});

describe('addresses of one network', () => {
  test.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::9', '2001:db8:1:2'],
    ['2001:db8::9', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
  ])('%s is in %s', (address, network) => expect(networkOf(address)).toBe(network));
});
