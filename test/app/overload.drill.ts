import { runAutocannon, runConstantRate } from '../../tools/bench/load';
import { type ShopServer, slowDownCarts, TestBed } from '../support/shop';

/** Load beyond the capacity of one process. */
let testBed: TestBed;
let shop: ShopServer;

beforeAll(async () => {
  testBed = await TestBed.open();
  const database = await testBed.database();
  shop = await testBed.serve(database, { LOAD_SHEDDING: 'true' });
  await slowDownCarts(database);
});

afterAll(() => testBed?.close());

/** Other tests can occupy the CPU for seconds, which only lowers the results, so retry. */
const ATTEMPTS = 3;
const GOAL = 0.9;

/** Milliseconds. Without shedding, most requests would first wait a second for a database connection. */
const QUICK = 300;

test('at three times its capacity, a process keeps its peak throughput and sheds the rest immediately', async () => {
  const target = { url: `${shop.url}/api/cart`, cookie: await cookieOfCart() };
  const watching = watchHealth();
  const met = ({ ratio, refused, peak, p50 }: typeof seen) => ratio >= GOAL && refused > peak && p50 < QUICK;
  let seen = { peak: 0, ratio: 0, refused: 0, failed: 0, p50: Number.POSITIVE_INFINITY };
  for (let attempt = 0; attempt < ATTEMPTS && !met(seen); attempt += 1) {
    const load = await runAutocannon({ ...target, connections: 40, seconds: 3 }).catch(() => undefined);
    if (load === undefined || load.failedShare > 0) continue;
    const peak = load.rps;
    const { inTime, ...over } = await runConstantRate({ ...target, connections: 500, seconds: 4, rate: 3 * peak });
    seen = { peak, ratio: inTime / peak, refused: over.refused, failed: over.failed, p50: over.refusalP50Ms };
  }
  expect(seen.failed).toBe(0);
  expect(seen.ratio).toBeGreaterThanOrEqual(GOAL);
  expect(seen.refused).toBeGreaterThan(seen.peak);
  expect(seen.p50).toBeLessThan(QUICK);
  expect(await watching.stop()).toEqual(new Set(['/healthz 200', '/readyz 200', '/api/products 200']));
});

/** Returns the cookie of a visitor with a cart. */
async function cookieOfCart(): Promise<string> {
  const visitor = shop.visitor();
  // The view rejects the insert, but the session exists by then.
  await visitor.add(1);
  return `sid=${visitor.cookies.get('sid')}`;
}

/** Polls health checks and catalogue until stopped. Returns the distinct results. */
function watchHealth() {
  const seen = new Set<string>();
  let watching = true;
  const watched = (async () => {
    while (watching) {
      for (const path of ['/healthz', '/readyz', '/api/products']) {
        const answer = await fetch(shop.url + path);
        await answer.arrayBuffer();
        seen.add(`${path} ${answer.status}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  return {
    stop: async () => {
      watching = false;
      await watched;
      return seen;
    },
  };
}
