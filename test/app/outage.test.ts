import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../lib/processes';
import { startPostgres } from '../../lib/rehearsal/postgres';
import { Bench, isAlive, makeUsers, type Visitor, workers } from '../support/shop';

/** The database away for a while, under traffic. */
let bench: Bench;

beforeAll(async () => {
  bench = await Bench.open();
});

afterAll(() => bench?.close());

const OUTAGE = 12_000;

test('every process outlives the database, and the first checkout after its return succeeds', async () => {
  const options = { dir: join(bench.dir, 'away'), access: 'tls', port: await freePort() } as const;
  let postgres = await startPostgres(options);
  try {
    await postgres.createDatabase('shop');
    const database = postgres.url();
    const shop = await bench.serve(database, { WEB_CONCURRENCY: '2' });
    const pids = await workers(shop.url, 2);
    const visitors: Visitor[] = [];
    for (const email of await makeUsers(database, 4)) {
      const visitor = shop.visitor();
      await visitor.logIn(email);
      await visitor.add(1);
      visitors.push(visitor);
    }
    const [visitor] = visitors as [Visitor];
    // Both processes have seen the list before.
    for (let count = 0; count < 8; count += 1) await visitor.get('/api/products', { connection: 'close' });

    await postgres.stop();
    const end = Date.now() + OUTAGE;
    const seen = { health: new Set<number>(), catalogue: new Set<number>(), checkout: new Set<string>() };
    let slowest = 0;
    while (Date.now() < end) {
      await Promise.all(
        visitors.map(async (each) => {
          seen.health.add((await each.get('/healthz', { connection: 'close' })).status);
          seen.catalogue.add((await each.get('/api/products', { connection: 'close' })).status);
          const asked = Date.now();
          const { status, headers } = await each.order('while away');
          slowest = Math.max(slowest, Date.now() - asked);
          seen.checkout.add(`${status}, again after ${headers.get('retry-after')} s`);
        }),
      );
      await sleep(50);
    }
    expect([...seen.health, ...seen.catalogue]).toEqual([200, 200]);
    expect([...seen.checkout]).toEqual(['503, again after 1 s']);
    // Refused at once, and not after waiting for a connection.
    expect(slowest).toBeLessThan(1_000);

    postgres = await startPostgres(options);
    for (const each of visitors) expect((await each.order('after')).status).toBe(201);
    expect(new Set(await workers(shop.url, 2))).toEqual(new Set(pids));
    expect(pids.every(isAlive)).toBe(true);
    expect(shop.log()).not.toContain('a worker died');
    await shop.process.stop();
  } finally {
    await postgres.stop();
  }
});
