import type { Second } from '../../../../tools/rehearsal/traffic/messages';
import { startGenerator, startTraffic, type Traffic } from '../../../../tools/rehearsal/traffic/traffic';
import { isAlive, type ShopServer, sql, TestBed } from '../../../support/shop';

/** Traffic against a real shop. */
let bench: TestBed;
const started: Traffic[] = [];

beforeAll(async () => {
  bench = await TestBed.open();
});

afterAll(async () => {
  for (const traffic of started) await traffic.stop();
  await bench?.close();
});

async function open(env: Record<string, string> = {}): Promise<{ database: string; shop: ShopServer }> {
  const database = await bench.database();
  return { database, shop: await bench.serve(database, { LOG_LEVEL: 'warn', ...env }) };
}

async function shopAt(url: string, database: string): Promise<Traffic> {
  const load = { profile: 'steady', rps: 120, seconds: 300, factor: 1 } as const;
  const traffic = await startTraffic({ url, load, databaseUrl: database, addresses: ['127.0.0.1'], seed: 1 });
  started.push(traffic);
  return traffic;
}

/** Resolves when the shop has confirmed a number of cart items, orders and logins. */
function confirmed(traffic: Traffic, count: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    traffic.events.on('second', ({ acknowledged }) => {
      if (acknowledged >= count) resolve(acknowledged);
    });
    traffic.ended.then(() => reject(new Error(`fewer than ${count} confirmations in the whole run`)), reject);
  });
}

test('all confirmed data exists, and the audit detects missing data', async () => {
  const { database, shop } = await open();
  const traffic = await shopAt(shop.url, database);
  const seconds: Second[] = [];
  traffic.events.on('second', (second) => seconds.push(second));
  await confirmed(traffic, 70);
  traffic.end();
  const summary = await traffic.ended;

  const { ok, refused, failed, wrong } = summary.counts;
  // On a busy machine, the shop may shed load.
  expect([ok + refused, failed, wrong]).toEqual([summary.due, 0, 0]);
  expect(Math.abs(summary.due / summary.seconds / 120 - 1)).toBeLessThan(0.3);
  expect(seconds.reduce((sum, { due }) => sum + due, 0)).toBe(summary.due);
  for (const kind of Object.values(summary.byKind)) expect(kind.counts.ok).toBeGreaterThan(0);
  expect(summary.latency.p50).toBeLessThanOrEqual(summary.latency.p99);

  const audited = await traffic.audit(database);
  expect(audited).toMatchObject({
    cartItems: { lost: 0 },
    orders: { lost: 0 },
    logIns: { lost: 0 },
    unasked: 0,
    stockErrors: 0,
    unanswered: 0,
    examples: [],
  });
  const total = audited.cartItems.acknowledged + audited.orders.acknowledged + audited.logIns.acknowledged;
  expect(total).toBeGreaterThanOrEqual(70);

  // Simulates lost writes: one order missing, one duplicated with more items, one cart emptied.
  await sql(database, 'DELETE FROM orders WHERE id = (SELECT id FROM orders ORDER BY id LIMIT 1)');
  await sql(
    database,
    `WITH again AS (
       INSERT INTO orders (user_id, idempotency_key, total_cents)
       SELECT user_id, 'another key', total_cents FROM orders ORDER BY id DESC LIMIT 1 RETURNING id
     ) INSERT INTO order_items SELECT again.id, 1, 'Again', 100, 50 FROM again`,
  );
  const [{ items }] = await sql(
    database,
    `WITH deleted AS (
       DELETE FROM cart_items WHERE cart_id = (SELECT cart_id FROM cart_items ORDER BY 1 LIMIT 1) RETURNING quantity
     ) SELECT sum(quantity)::int AS items FROM deleted`,
  );
  const short = await traffic.audit(database);
  expect(short.stockErrors).toBeGreaterThan(0);
  expect(short).toMatchObject({
    cartItems: { lost: items },
    orders: { lost: 1 },
    logIns: { lost: 0 },
    unasked: 1,
    examples: expect.arrayContaining([expect.stringContaining('was not requested')]),
  });
});

test('a server with sessions in memory loses logins and carts when it dies, but no order', async () => {
  const memory = { SESSION_STORE: 'memory' };
  const { database, shop } = await open(memory);
  const traffic = await shopAt(shop.url, database);
  await confirmed(traffic, 70);
  shop.kill('SIGKILL');
  await shop.exited;
  await bench.serve(database, { ...memory, PORT: String(shop.process.port), LOG_LEVEL: 'warn' });
  traffic.end();
  expect((await traffic.ended).failures.ECONNREFUSED).toBeGreaterThan(0);
  const { logIns, cartItems, orders } = await traffic.audit(database);
  expect(logIns.lost).toBeGreaterThan(0);
  expect(cartItems.lost).toBeGreaterThan(0);
  expect(orders).toMatchObject({ acknowledged: expect.any(Number), lost: 0 });
});

test('orders of a calibration keep the stock consistent, and do not count for the traffic', async () => {
  const { database, shop } = await open();
  const generator = startGenerator();
  try {
    const plan = { url: shop.url, databaseUrl: database, addresses: ['127.0.0.1'] };
    expect(await generator.calibrate(plan)).toBeGreaterThan(0);
    // On a slow machine, the calibration may not have placed an order.
    await sql(
      database,
      `WITH one AS (
         INSERT INTO orders (user_id, idempotency_key, total_cents) SELECT id, 'calibration', 100 FROM users LIMIT 1 RETURNING id
       ), item AS (
         INSERT INTO order_items SELECT one.id, 1, 'Mug', 100, 3 FROM one
       ) UPDATE products SET stock = stock - 3 WHERE id = 1`,
    );
    const [{ orders: before }] = await sql(database, 'SELECT count(*)::int AS orders FROM orders');
    const load = { profile: 'steady', rps: 60, seconds: 60, factor: 1 } as const;
    const traffic = await generator.start({ ...plan, load, seed: 1 });
    await confirmed(traffic, 20);
    traffic.end();
    await traffic.ended;
    const audited = await traffic.audit(database);
    expect(audited).toMatchObject({ orders: { lost: 0 }, unasked: 0, stockErrors: 0, examples: [] });
    const [{ orders }] = await sql(database, 'SELECT count(*)::int AS orders FROM orders');
    expect(audited.orders.acknowledged).toBeLessThanOrEqual(orders - before);
  } finally {
    await generator.stop();
  }
}, 180_000);

test('stop() ends the generator process', async () => {
  const { database, shop } = await open();
  const traffic = await shopAt(shop.url, database);
  traffic.end();
  expect((await traffic.ended).seconds).toBeLessThan(20);
  expect(isAlive(traffic.pid)).toBe(true);
  await traffic.stop();
  expect(isAlive(traffic.pid)).toBe(false);
});
