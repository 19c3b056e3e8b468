import type { Second } from '../../../../tools/rehearsal/traffic/messages';
import { eventually, isAlive, sql } from '../../../support/shop';
import { confirmed, TrafficTestBed } from '../../../support/traffic';

/** Traffic against a real shop. */
let testBed: TrafficTestBed;

beforeAll(async () => {
  testBed = await TrafficTestBed.open();
});

afterAll(() => testBed?.close());

test('all confirmed data exists, and the audit detects missing data', async () => {
  const { database, shop } = await testBed.serve();
  const traffic = await testBed.startTraffic(shop.url, database);
  const seconds: Second[] = [];
  traffic.events.on('second', (second) => seconds.push(second));
  await confirmed(traffic, 70);
  // Orders come last in a visit: on a busy machine, 70 confirmations may include none.
  await eventually(async () => (await sql(database, 'SELECT 1 FROM orders')).length > 0);
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

test('stop() ends the generator process', async () => {
  const { database, shop } = await testBed.serve();
  const traffic = await testBed.startTraffic(shop.url, database);
  traffic.end();
  expect((await traffic.ended).seconds).toBeLessThan(20);
  expect(isAlive(traffic.pid)).toBe(true);
  await traffic.stop();
  expect(isAlive(traffic.pid)).toBe(false);
});
