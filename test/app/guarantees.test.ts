import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, makeUsers, PASSWORD, retryOn503, type ShopServer, sql, TestBed, Visitor } from '../support/shop';

/** Guarantees of the shop under concurrency and kills. */
let testBed: TestBed;
let database: string;
let shop: ShopServer;
const PROCESSES = 2;

beforeAll(async () => {
  testBed = await TestBed.open();
  database = await testBed.database();
  shop = await testBed.serve(database, { WEB_CONCURRENCY: String(PROCESSES) });
});

afterAll(() => testBed?.close());

async function loggedIn(count: number, url = shop.url): Promise<Visitor[]> {
  const visitors: Visitor[] = [];
  // Sequentially, because a process rejects more than 64 concurrent logins.
  for (const email of await makeUsers(database, count)) {
    const visitor = new Visitor(url);
    await visitor.logIn(email);
    visitors.push(visitor);
  }
  return visitors;
}

/** Returns the remaining stock and the sold quantity of a product. */
async function stockAndSales(product: number): Promise<{ left: number; sold: number }> {
  const [{ left, sold }] = await sql(
    database,
    `SELECT (SELECT stock FROM products WHERE id = $1) AS left,
            (SELECT coalesce(sum(quantity), 0)::int FROM order_items WHERE product_id = $1) AS sold`,
    [product],
  );
  return { left, sold };
}

test('20 concurrent additions in one session add 20', async () => {
  const visitor = shop.visitor();
  await visitor.add(1);
  const answers = await Promise.all(Array.from({ length: 20 }, () => retryOn503(() => visitor.add(1))));
  expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
  expect((await visitor.get('/api/cart')).json.items).toMatchObject([{ productId: 1, quantity: 21 }]);
});

test('concurrent additions never exceed 99, and every confirmed addition is kept', async () => {
  const visitor = shop.visitor();
  await visitor.add(1);
  const answers = await Promise.all(Array.from({ length: 20 }, () => retryOn503(() => visitor.add(1, 10))));
  const statuses = answers.map(({ status }) => status);
  expect(statuses.filter((status) => status === 200)).toHaveLength(9);
  expect((await visitor.get('/api/cart')).json.items).toMatchObject([{ quantity: 91 }]);
});

test('50 concurrent requests with the same key create one order', async () => {
  const [visitor] = (await loggedIn(1)) as [Visitor];
  await visitor.add(2, 3);
  const answers = await Promise.all(Array.from({ length: 50 }, () => retryOn503(() => visitor.order('the same'))));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
  expect(new Set(answers.map(({ json }) => json.id)).size).toBe(1);
  expect(answers.filter(({ headers }) => headers.has('idempotency-replayed'))).toHaveLength(49);
  expect((await visitor.get('/api/orders')).json.items).toHaveLength(1);
  expect((await stockAndSales(2)).sold).toBe(3);
});

test('50 concurrent keys order one cart once', async () => {
  const [visitor] = (await loggedIn(1)) as [Visitor];
  await visitor.add(3);
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) => retryOn503(() => visitor.order(`key ${index}`))),
  );
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
  expect(answers.filter(({ status, json }) => status === 409 && json.error.code === 'cart_empty')).toHaveLength(49);
});

test('the last item in stock is sold once among 50 concurrent orders', async () => {
  await sql(database, 'UPDATE products SET stock = 1 WHERE id = 4');
  const visitors = await loggedIn(50);
  await Promise.all(visitors.map((visitor) => retryOn503(() => visitor.add(4))));
  const answers = await Promise.all(visitors.map((visitor) => retryOn503(() => visitor.order('mine'))));
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
  expect(answers.filter(({ status, json }) => status === 409 && json.error.code === 'out_of_stock')).toHaveLength(49);
  expect(await stockAndSales(4)).toEqual({ left: 0, sold: 1 });
});

test('concurrent checkouts with the same products in any order all succeed without a deadlock', async () => {
  const visitors = await loggedIn(20);
  const products = [10, 11, 12, 13];
  for (const [index, visitor] of visitors.entries()) {
    const order = index % 2 === 0 ? products : products.toReversed();
    for (const product of order) await visitor.add(product);
  }
  const answers = await Promise.all(visitors.map((visitor) => retryOn503(() => visitor.order('mine'))));
  expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(201));
});

test('an item added during checkout is in the order or still in the cart', async () => {
  const visitors = await loggedIn(15);
  await Promise.all(
    visitors.map(async (visitor) => {
      await visitor.add(14);
      const [placed, ...added] = await Promise.all([
        retryOn503(() => visitor.order('mine')),
        retryOn503(() => visitor.add(14)),
        retryOn503(() => visitor.add(15)),
        retryOn503(() => visitor.add(14)),
      ]);
      expect([placed.status, ...added.map(({ status }) => status)]).toEqual([201, 200, 200, 200]);
      const order = (await visitor.get(`/api/orders/${placed.json.id}`)).json;
      const cart = (await visitor.get('/api/cart')).json;
      const total = [...order.items, ...cart.items].reduce((sum: number, { quantity }) => sum + quantity, 0);
      expect(total).toBe(4);
    }),
  );
});

test('a failed job is retried later and does not block others', async () => {
  const [visitor] = (await loggedIn(1)) as [Visitor];
  await sql(
    database,
    `CREATE FUNCTION refuse() RETURNS trigger AS $$ BEGIN RAISE 'the printer is out of paper'; END $$ LANGUAGE plpgsql;
     CREATE TRIGGER refuse BEFORE INSERT ON receipts FOR EACH ROW EXECUTE FUNCTION refuse()`,
  );
  await visitor.add(16);
  const { id } = (await visitor.order('mine')).json;
  await eventually(async () => (await sql(database, 'SELECT 1 FROM jobs WHERE attempts > 0')).length === 1);
  expect((await visitor.get(`/api/orders/${id}`)).json.status).toBe('placed');
  await sql(database, 'DROP TRIGGER refuse ON receipts');
  await eventually(async () => (await visitor.get(`/api/orders/${id}`)).json.status === 'fulfilled');
});

test('no write is confirmed while the session cannot be saved', async () => {
  const [email] = (await makeUsers(database, 1)) as [string];
  await sql(
    database,
    `CREATE FUNCTION refuse_session() RETURNS trigger AS $$ BEGIN RAISE 'the disk is full' USING ERRCODE = '53100'; END $$ LANGUAGE plpgsql;
     CREATE TRIGGER refuse_session BEFORE INSERT OR UPDATE ON sessions FOR EACH ROW EXECUTE FUNCTION refuse_session()`,
  );
  const visitor = shop.visitor();
  const login = () => visitor.post('/api/login', { email, password: PASSWORD });
  for (const answer of [
    await visitor.add(1),
    await login(),
    await visitor.submit('/cart/items', { productId: '1', quantity: '1' }),
  ]) {
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
    expect(answer.headers.get('set-cookie')).toBeNull();
  }
  await sql(database, 'DROP TRIGGER refuse_session ON sessions');
  expect((await login()).status).toBe(200);
  expect((await visitor.add(1)).json.items).toHaveLength(1);
});

test('kill -9 during checkouts leaves each order complete or absent, and a retry completes it', async () => {
  const product = 20;
  const [{ stock: before }] = await sql(database, 'SELECT stock FROM products WHERE id = $1', [product]);
  const acknowledged = new Set<string>();
  for (const pause of [5, 20, 60]) {
    const doomed = await testBed.serve(database);
    const visitors = await loggedIn(12, doomed.url);
    await Promise.all(visitors.map((visitor) => retryOn503(() => visitor.add(product))));
    const attempts = visitors.map((visitor) => visitor.order('mine').catch(() => undefined));
    await sleep(pause);
    doomed.kill('SIGKILL');
    for (const answer of await Promise.all(attempts)) if (answer?.status === 201) acknowledged.add(answer.json.id);

    // The same sessions on the remaining server.
    for (const visitor of visitors) visitor.url = shop.url;
    const again = await Promise.all(visitors.map((visitor) => retryOn503(() => visitor.order('mine'))));
    expect(again.map(({ status }) => status)).toEqual(Array(12).fill(201));
    for (const visitor of visitors) expect((await visitor.get('/api/orders')).json.items).toHaveLength(1);
  }
  const rows = await sql(database, 'SELECT id FROM orders WHERE id = ANY($1)', [[...acknowledged]]);
  expect(rows).toHaveLength(acknowledged.size);
  expect(await stockAndSales(product)).toEqual({ left: before - 36, sold: 36 });
  const broken = await sql(
    database,
    `SELECT o.id FROM orders o WHERE total_cents <>
       (SELECT coalesce(sum(price_cents * quantity), -1) FROM order_items i WHERE i.order_id = o.id)`,
  );
  expect(broken).toEqual([]);
});

test('every order of the tests above has exactly one receipt', async () => {
  await eventually(async () => (await sql(database, 'SELECT 1 FROM jobs')).length === 0);
  const rows = await sql(
    database,
    `SELECT o.id FROM orders o LEFT JOIN receipts r ON r.order_id = o.id WHERE o.status <> 'fulfilled' OR r.order_id IS NULL`,
  );
  expect(rows).toEqual([]);
  const [{ orders, receipts }] = await sql(
    database,
    'SELECT (SELECT count(*) FROM orders) AS orders, (SELECT count(DISTINCT number) FROM receipts) AS receipts',
  );
  expect(receipts).toBe(orders);
});
