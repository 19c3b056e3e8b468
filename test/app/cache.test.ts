import { setTimeout as sleep } from 'node:timers/promises';
import { CatalogueCache } from '../../app/data/catalogue-cache';
import { Database } from '../../app/data/db';
import { type SharedCache, SharedCatalogue } from '../../app/data/shared-catalogue';
import { Unavailable } from '../../app/errors';
import { TestBed } from '../support/shop';

let testBed: TestBed;
let database: Database;
/** Catalogue queries that were sent to PostgreSQL. */
let queries: number;
let databaseDown: boolean;

const counted = {
  async query<Row>(sql: string, values?: readonly unknown[]): Promise<Row[]> {
    queries += 1;
    if (databaseDown) throw new Unavailable();
    return database.query<Row>(sql, values);
  },
};

beforeAll(async () => {
  testBed = await TestBed.open();
  const url = await testBed.database();
  await (await testBed.serve(url)).process.stop();
  database = new Database({ connectionString: url }, () => {});
  database.resize(10);
});

afterAll(async () => {
  await database?.close();
  await testBed?.close();
});

beforeEach(() => {
  queries = 0;
  databaseDown = false;
});

/** In-memory Redis that can be switched off. */
class FakeRedis implements SharedCache {
  readonly entries = new Map<string, { text: string; end: number }>();
  up = true;
  calls = 0;

  async get(key: string) {
    this.#call();
    const found = this.entries.get(key);
    const ttl = (found?.end ?? 0) - Date.now();
    return found && ttl > 0 ? { text: found.text, ttl } : undefined;
  }

  async set(key: string, text: string, ttl: number, onlyIfAbsent: boolean) {
    this.#call();
    if (onlyIfAbsent && (this.entries.get(key)?.end ?? 0) > Date.now()) return false;
    this.entries.set(key, { text, end: Date.now() + ttl });
    return true;
  }

  /** Ages all entries. */
  age(ms: number): void {
    for (const [key, { text, end }] of this.entries) this.entries.set(key, { text, end: end - ms });
  }

  #call(): void {
    this.calls += 1;
    if (!this.up) throw new Error('connection refused');
  }
}

const noFilter = {};
const processWith = (redis?: SharedCache) =>
  new CatalogueCache(counted, (image) => `/${image}`, redis && new SharedCatalogue(redis, 'test'));
const fleet = (size: number, redis: SharedCache) => Array.from({ length: size }, () => processWith(redis));

test('a catalogue without a cache queries the database for each request', async () => {
  queries = 0;
  const shared = new SharedCatalogue(new FakeRedis(), 'test');
  const cache = new CatalogueCache(counted, (image) => `/${image}`, shared, false);
  const answers = [await cache.list(noFilter, 1), await cache.list(noFilter, 1)];
  expect(queries).toBe(2);
  expect(answers.map(({ cache: from }) => from)).toEqual(['miss', 'miss']);
  expect(cache.counters).toEqual({ near: 0, shared: 0, database: 2 });
});

describe('200 concurrent visitors', () => {
  test('cause one query per process, with and without a shared cache', async () => {
    for (const cache of [processWith(), processWith(new FakeRedis())]) {
      queries = 0;
      const answers = await Promise.all(Array.from({ length: 200 }, () => cache.list(noFilter, 1)));
      expect(queries).toBe(1);
      expect(answers.filter(({ cache }) => cache === 'miss')).toHaveLength(1);
      expect(new Set(answers.map(({ json }) => json.toString())).size).toBe(1);
      expect(cache.counters).toEqual({ near: 199, shared: 0, database: 1 });
    }
  });

  test('cause one query in a fleet of 20 processes', async () => {
    const processes = fleet(20, new FakeRedis());
    await Promise.all(processes.flatMap((one) => Array.from({ length: 200 }, () => one.list(noFilter, 1))));
    expect(queries).toBe(1);
    expect(processes.reduce((sum, { counters }) => sum + counters.shared, 0)).toBe(19);
  });

  test('cause one background refresh in that fleet when the entry is stale, without blocking a request', async () => {
    const redis = new FakeRedis();
    await processWith(redis).list(noFilter, 1);
    redis.age(12_000);
    await Promise.all(fleet(20, redis).map((one) => one.list(noFilter, 1)));
    expect(queries).toBe(2);
  });
});

test('an entry of another app version is ignored', async () => {
  const redis = new FakeRedis();
  await processWith(redis).product(1);
  await new CatalogueCache(counted, (image) => image, new SharedCatalogue(redis, 'next')).product(1);
  expect(queries).toBe(2);
});

test('searches and unknown products are not stored in the shared cache', async () => {
  const redis = new FakeRedis();
  const cache = processWith(redis);
  expect((await cache.product(999_999)).value).toBeUndefined();
  await cache.list({ text: 'kettle' }, 1);
  expect([...redis.entries].filter(([, { text }]) => text !== '')).toEqual([]);
});

describe('when the shared cache is down', () => {
  /** Milliseconds for which it is not tried again. */
  const BREAKER_OPEN = 1_000;
  /** Only tests advance it, so a busy machine tries no more often. */
  let clock: number;

  beforeEach(() => {
    clock = Date.now();
    jest.spyOn(Date, 'now').mockImplementation(() => clock);
  });

  afterEach(() => jest.restoreAllMocks());

  test('reads fall back to the database without an error, and the cache is not tried for each request', async () => {
    const redis = new FakeRedis();
    redis.up = false;
    const cache = processWith(redis);
    for (let id = 1; id <= 20; id += 1) expect((await cache.product(id)).value?.id).toBe(id);
    clock += BREAKER_OPEN - 1;
    expect((await cache.product(21)).value?.id).toBe(21);
    expect(queries).toBe(21);
    expect(redis.calls).toBe(1);
  });

  test('it is used again after it recovers', async () => {
    const redis = new FakeRedis();
    redis.up = false;
    const cache = processWith(redis);
    await cache.product(1);
    redis.up = true;
    clock += BREAKER_OPEN;
    await cache.product(2);
    expect(redis.entries.has('test:product 2')).toBe(true);
  });
});

test('when the database is down, a new process serves stale entries of the shared cache', async () => {
  const redis = new FakeRedis();
  await processWith(redis).product(1);
  redis.age(300_000);
  databaseDown = true;
  expect((await processWith(redis).product(1)).value?.id).toBe(1);
  await expect(processWith(redis).product(2)).rejects.toThrow(Unavailable);
});

test('less than a fifth of the catalogue reads of a fleet of 5 reach the database', async () => {
  const processes = fleet(5, new FakeRedis());
  let reads = 0;
  const end = Date.now() + 8_000;
  // A visitor browses a list, some of its products, then another category.
  const visitor = async (number: number) => {
    for (let step = number; Date.now() < end || reads <= 2_000; step += 1) {
      const one = processes[step % processes.length] as CatalogueCache;
      const page = 1 + (step % 4);
      const { value } = await one.list(step % 3 === 0 ? noFilter : { category: 'Kitchen' }, page);
      reads += 1;
      for (const { id } of value.items.slice(0, 3)) {
        await one.product(id);
        reads += 1;
      }
      await one.categories();
      reads += 1;
      await sleep(50);
    }
  };
  await Promise.all(Array.from({ length: 20 }, (_, number) => visitor(number)));
  expect(reads).toBeGreaterThan(2_000);
  expect(queries).toBeLessThan(reads / 5);
});
