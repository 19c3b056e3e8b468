import { startGenerator } from '../../../../tools/rehearsal/traffic/traffic';
import { sql } from '../../../support/shop';
import { confirmed, failing, TrafficTestBed } from '../../../support/traffic';

/** Traffic against a real shop. */
let testBed: TrafficTestBed;

beforeAll(async () => {
  testBed = await TrafficTestBed.open();
});

afterAll(() => testBed?.close());

test('a server with sessions in memory loses logins and carts when it dies, but no order', async () => {
  const memory = { SESSION_STORE: 'memory' };
  const { database, shop } = await testBed.serve(memory);
  const traffic = await testBed.startTraffic(shop.url, database);
  await confirmed(traffic, 70);
  shop.kill('SIGKILL');
  await shop.exited;
  // A slow generator sends its next request late.
  await failing(traffic);
  await testBed.shops.serve(database, { ...memory, PORT: String(shop.process.port), LOG_LEVEL: 'warn' });
  traffic.end();
  expect((await traffic.ended).failures.ECONNREFUSED).toBeGreaterThan(0);
  const { logIns, cartItems, orders } = await traffic.audit(database);
  expect(logIns.lost).toBeGreaterThan(0);
  expect(cartItems.lost).toBeGreaterThan(0);
  expect(orders).toMatchObject({ acknowledged: expect.any(Number), lost: 0 });
});

test('orders of a calibration keep the stock consistent, and do not count for the traffic', async () => {
  const { database, shop } = await testBed.serve();
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
    const load = { profile: 'steady', rps: 60, seconds: 300, factor: 1 } as const;
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
});
