import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { eventually, makeUsers, PASSWORD, type ShopServer, sql, TestBed, type Visitor } from '../support/shop';

/** `Cache-Control` of responses that the edge may cache. */
const SHARED = 'public, max-age=0, s-maxage=2, stale-while-revalidate=10, stale-if-error=600';

let testBed: TestBed;
let database: string;
let shop: ShopServer;

beforeAll(async () => {
  testBed = await TestBed.open();
  database = await testBed.database();
  shop = await testBed.serve(database, { SERVER_NAME: 'box-1', AVAILABILITY_ZONE: 'zone-a', PHASE: '2' });
});

afterAll(() => testBed?.close());

async function loggedIn(): Promise<Visitor> {
  const [email] = await makeUsers(database, 1);
  const visitor = shop.visitor();
  await visitor.logIn(email as string);
  return visitor;
}

describe('the catalogue', () => {
  test('is listed in pages of 12, with the documented fields', async () => {
    const { json, status, headers } = await shop.visitor().get('/api/products');
    expect(status).toBe(200);
    expect(json).toMatchObject({ page: 1 });
    expect(json.items).toHaveLength(12);
    expect(json.total).toBeGreaterThanOrEqual(60);
    expect(json.items[0]).toEqual({
      id: 1,
      name: expect.any(String),
      description: expect.any(String),
      category: expect.any(String),
      priceCents: expect.any(Number),
      stock: expect.any(Number),
      imageUrl: expect.stringMatching(/^\/assets\/products\/.+\.[0-9a-f]{10}\.svg$/),
    });
    expect(headers.get('cache-control')).toBe(SHARED);
    expect(headers.get('set-cookie')).toBeNull();
  });

  test('lists every product on exactly one page, and none beyond the last page', async () => {
    const visitor = shop.visitor();
    const { total } = (await visitor.get('/api/products')).json;
    const ids: number[] = [];
    for (let page = 1; page <= Math.ceil(total / 12); page += 1) {
      ids.push(...(await visitor.get(`/api/products?page=${page}`)).json.items.map((item: { id: number }) => item.id));
    }
    expect(new Set(ids).size).toBe(total);
    expect((await visitor.get('/api/products?page=999')).json).toEqual({ items: [], page: 999, total });
  });

  test('filters by category and text, combined and case-insensitive', async () => {
    const visitor = shop.visitor();
    const [product] = (await visitor.get('/api/products')).json.items;
    const inCategory = (await visitor.get(`/api/products?category=${product.category}`)).json;
    expect(inCategory.items.every((item: { category: string }) => item.category === product.category)).toBe(true);
    const found = (await visitor.get(`/api/products?category=${product.category}&q=${product.name.toUpperCase()}`))
      .json;
    expect(found.items.map((item: { id: number }) => item.id)).toContain(product.id);
    expect((await visitor.get('/api/products?q=%25')).json.total).toBe(0);
    expect((await visitor.get("/api/products?q=';--")).json.total).toBe(0);
  });

  test('rejects an unknown category and lists the valid ones', async () => {
    const { status, json } = await shop.visitor().get('/api/products?category=cars');
    expect(status).toBe(400);
    expect(json.error).toEqual({ code: 'invalid_category', message: expect.stringContaining('kitchen, table') });
  });

  test.each(['page=0', 'page=-1', 'page=1.5', 'page=x', 'page=10001', `q=${'x'.repeat(101)}`])(
    'rejects ?%s',
    async (query) => {
      const { status, json } = await shop.visitor().get(`/api/products?${query}`);
      expect(status).toBe(400);
      expect(json.error.code).toBe('invalid_request');
    },
  );

  test('returns one product, and 404 with an error object for an unknown one', async () => {
    const visitor = shop.visitor();
    expect((await visitor.get('/api/products/1')).json).toMatchObject({ id: 1 });
    for (const id of ['0', '9999', '99999999999999', 'x', '1.5', '-1']) {
      const { status, json } = await visitor.get(`/api/products/${id}`);
      expect([id, status, json.error.code]).toEqual([id, 404, 'product_not_found']);
    }
  });

  test('reads the database once for many visitors', async () => {
    const answers = await Promise.all(Array.from({ length: 30 }, () => shop.visitor().get('/api/products?q=cotton')));
    const misses = answers.filter(({ headers }) => headers.get('x-cache') === 'miss');
    expect(misses.length).toBe(1);
  });

  test('images and style sheet are immutable under hashed names, and no other file of their folder is served', async () => {
    const visitor = shop.visitor();
    const home = (await visitor.get('/')).text;
    const urls = [...home.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, url]) => url as string);
    expect(urls.length).toBeGreaterThan(12);
    for (const url of new Set(urls)) {
      const { status, headers } = await visitor.get(url);
      expect([url, status]).toEqual([url, 200]);
      expect(headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    }
    expect((await visitor.get('/assets/manifest.json')).status).toBe(404);
    expect((await visitor.get('/assets/..%2fserver.js')).status).toBe(404);
  });
});

describe('accounts', () => {
  test('sign-up, logout, login and the current user', async () => {
    const visitor = shop.visitor();
    expect((await visitor.get('/api/me')).status).toBe(401);
    const email = await visitor.signUp();
    expect((await visitor.get('/api/me')).json).toEqual({ id: expect.any(String), email });
    expect((await visitor.post('/api/logout')).status).toBe(204);
    expect((await visitor.get('/api/me')).json.error.code).toBe('login_required');
    const again = await visitor.post('/api/login', { email: ` ${email.toUpperCase()} `, password: PASSWORD });
    expect(again.json).toEqual({ id: expect.any(String), email });
    expect(again.headers.get('cache-control')).toBe('no-store');
  });

  test('an address has one account', async () => {
    const email = await shop.visitor().signUp();
    const { status, json } = await shop
      .visitor()
      .post('/api/signup', { email: email.toUpperCase(), password: PASSWORD });
    expect([status, json.error.code]).toEqual([409, 'email_taken']);
  });

  test('a wrong password and an unknown address get the same response', async () => {
    const [email] = await makeUsers(database, 1);
    const wrong = await shop.visitor().post('/api/login', { email, password: 'not this one' });
    const unknown = await shop.visitor().post('/api/login', { email: 'unknown@example.com', password: 'not this one' });
    expect(wrong.status).toBe(401);
    expect(unknown.status).toBe(401);
    expect(unknown.text).toBe(wrong.text);
  });

  test.each([
    [{ email: 'no-address', password: PASSWORD }],
    [{ email: 'a@b.co', password: 'short' }],
    [{ email: 'a@b.co', password: 'x'.repeat(201) }],
    [{ email: ['a@b.co'], password: PASSWORD }],
    [{ email: 'a@b.co', password: PASSWORD, admin: true }],
    [{}],
  ])('sign-up rejects %j', async (body) => {
    const { status, json } = await shop.visitor().post('/api/signup', body);
    expect([status, json.error.code]).toEqual([400, 'invalid_request']);
  });

  test('login changes the session id, and invalidates the previous one', async () => {
    const visitor = shop.visitor();
    await visitor.add(1);
    const before = visitor.cookies.get('sid') as string;
    const [email] = await makeUsers(database, 1);
    await visitor.logIn(email as string);
    expect(visitor.cookies.get('sid')).not.toBe(before);
    const thief = shop.visitor();
    thief.cookies.set('sid', before);
    expect((await thief.get('/api/me')).status).toBe(401);
    expect((await thief.get('/api/cart')).json.items).toEqual([]);
  });

  test('logout invalidates copies of the cookie', async () => {
    const visitor = await loggedIn();
    const copy = shop.visitor();
    copy.cookies.set('sid', visitor.cookies.get('sid') as string);
    expect((await copy.get('/api/me')).status).toBe(200);
    await visitor.post('/api/logout');
    expect((await copy.get('/api/me')).status).toBe(401);
    expect(visitor.cookies.has('sid')).toBe(false);
  });

  test('the session cookie is HttpOnly and SameSite', async () => {
    const { headers } = await shop.visitor().add(1);
    expect(headers.get('set-cookie')).toMatch(/^sid=[^;]+; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax$/);
  });

  test.each([
    ['cut short', (sid: string) => sid.slice(0, -4)],
    ['with another id', (sid: string) => `x${sid}`],
    ['unsigned', (sid: string) => sid.split('.')[0] as string],
    ['empty', () => ''],
    ['with special characters', () => '%00%ff;=.%E0%A4%A'],
    ['very long', () => 'x'.repeat(8000)],
  ])('a cookie %s starts a new session without an error', async (_how, tamper) => {
    const visitor = await loggedIn();
    const sid = decodeURIComponent(visitor.cookies.get('sid') as string);
    visitor.cookies.set('sid', tamper(sid));
    expect((await visitor.get('/api/cart')).json).toEqual({ items: [], totalCents: 0 });
    expect((await visitor.get('/')).status).toBe(200);
    expect((await visitor.get('/api/me')).status).toBe(401);
    expect((await visitor.add(1)).status).toBe(200);
    expect((await visitor.get('/api/cart')).json.items).toHaveLength(1);
  });

  test('too many wrong passwords block all logins for a while, and a successful login resets the count', async () => {
    const [email, other] = await makeUsers(database, 2);
    const attempt = (password: string) => shop.visitor().post('/api/login', { email, password });
    for (let count = 0; count < 9; count += 1) expect((await attempt('wrong')).status).toBe(401);
    expect((await attempt(PASSWORD)).status).toBe(200);
    const statuses = await Promise.all(Array.from({ length: 15 }, () => attempt('wrong').then(({ status }) => status)));
    expect(statuses.filter((status) => status === 401)).toHaveLength(10);
    const refused = await attempt(PASSWORD);
    expect([refused.status, refused.json.error.code]).toEqual([429, 'too_many_attempts']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(800);
    await shop.visitor().logIn(other as string);
  });
});

describe('the cart', () => {
  test('adds, totals and removes items', async () => {
    const visitor = shop.visitor();
    expect((await visitor.get('/api/cart')).json).toEqual({ items: [], totalCents: 0 });
    expect(visitor.cookies.size).toBe(0);
    await visitor.add(2, 3);
    await visitor.add(1);
    const { json } = await visitor.add(2);
    expect(json.items.map(({ productId, quantity }: Record<string, number>) => [productId, quantity])).toEqual([
      [1, 1],
      [2, 4],
    ]);
    expect(json.items[0]).toEqual({
      productId: 1,
      name: expect.any(String),
      quantity: 1,
      priceCents: expect.any(Number),
    });
    expect(json.totalCents).toBe(json.items[0].priceCents + 4 * json.items[1].priceCents);
    expect((await visitor.request('DELETE', '/api/cart/items/2')).json.items).toHaveLength(1);
    expect((await visitor.request('DELETE', '/api/cart/items/2')).status).toBe(200);
  });

  test.each([
    [{ productId: 1, quantity: -1 }],
    [{ productId: 1, quantity: 0 }],
    [{ productId: 1, quantity: 1.5 }],
    [{ productId: 1, quantity: 1e9 }],
    [{ productId: 1, quantity: 100 }],
    [{ productId: 1, quantity: '2' }],
    [{ productId: 1, quantity: null }],
    [{ productId: 1 }],
    [{ productId: '1', quantity: 1 }],
    [{ productId: 2 ** 31, quantity: 1 }],
    [{ productId: 1, quantity: 1, priceCents: 1 }],
    [[1, 1]],
  ])('rejects %j', async (body) => {
    const { status, json } = await shop.visitor().post('/api/cart/items', body);
    expect([status, json.error.code]).toEqual([400, 'invalid_request']);
  });

  test.each([
    ['{"productId":1,"quantity":1,"__proto__":{"a":1}}'],
    ['{"productId":1,"quantity":1,"constructor":{"prototype":{"a":1}}}'],
    ['{"productId":1,"quantity":1,"constructor":1}'],
    ['{"productId":1,'],
    ['nonsense'],
    [''],
  ])('rejects the body %s', async (body) => {
    const { status, json } = await shop.visitor().post('/api/cart/items', body);
    expect([status, json.error.code]).toEqual([400, 'invalid_request']);
  });

  test('rejects a body above 64 KiB, and one that is not JSON', async () => {
    const large = await shop.visitor().post('/api/cart/items', { productId: 1, quantity: 1, note: 'x'.repeat(70_000) });
    expect([large.status, large.json.error.code]).toEqual([413, 'body_too_large']);
    const xml = await shop.visitor().post('/api/cart/items', '<a/>', { 'content-type': 'application/xml' });
    expect([xml.status, xml.json.error.code]).toEqual([415, 'unsupported_media_type']);
    // The bundle has no tables for such encodings.
    const sjis = { 'content-type': 'application/x-www-form-urlencoded; charset=shift_jis' };
    expect((await shop.visitor().submit('/cart/items', { productId: '1', quantity: '1' }, sjis)).status).toBe(415);
    const latin1 = { 'content-type': 'application/x-www-form-urlencoded; charset=iso-8859-1' };
    expect((await shop.visitor().submit('/cart/items', { productId: '1', quantity: '1' }, latin1)).status).toBe(303);
  });

  test('rejects unknown products, and holds at most 99 of one product', async () => {
    const visitor = shop.visitor();
    const unknown = await visitor.add(9999);
    expect([unknown.status, unknown.json.error.code]).toEqual([404, 'product_not_found']);
    expect((await visitor.add(1, 99)).status).toBe(200);
    const over = await visitor.add(1, 1);
    expect([over.status, over.json.error.code]).toEqual([409, 'cart_limit']);
    expect((await visitor.get('/api/cart')).json.items[0].quantity).toBe(99);
  });

  test('of an anonymous visitor merges into the cart of the user at login, up to 99', async () => {
    const [email] = await makeUsers(database, 1);
    const first = shop.visitor();
    await first.logIn(email as string);
    await first.add(1, 60);
    const second = shop.visitor();
    await second.add(1, 60);
    await second.add(2, 5);
    await second.logIn(email as string);
    for (const visitor of [first, second]) {
      const { items } = (await visitor.get('/api/cart')).json;
      expect(items.map((item: { quantity: number }) => item.quantity)).toEqual([99, 5]);
    }
  });

  test('starts over after cleanup deleted it', async () => {
    const visitor = shop.visitor();
    await visitor.add(1);
    await sql(database, 'DELETE FROM carts WHERE user_id IS NULL');
    expect((await visitor.add(2)).json.items).toMatchObject([{ productId: 2, quantity: 1 }]);
  });
});

describe('orders', () => {
  test('require a login, an idempotency key and a non-empty cart', async () => {
    const stranger = await shop.visitor().order('key');
    expect([stranger.status, stranger.json.error.code]).toEqual([401, 'login_required']);
    const visitor = await loggedIn();
    expect((await visitor.order('key')).json.error.code).toBe('cart_empty');
    expect((await visitor.post('/api/orders')).status).toBe(400);
    expect((await visitor.order('x'.repeat(256))).status).toBe(400);
  });

  test('are placed once per key, empty the cart, and get a receipt', async () => {
    const visitor = await loggedIn();
    await visitor.add(3, 2);
    const { totalCents } = (await visitor.get('/api/cart')).json;
    const placed = await visitor.order('key-1');
    expect(placed.status).toBe(201);
    expect(placed.json).toEqual({ id: expect.any(String), status: 'placed', totalCents });
    expect((await visitor.get('/api/cart')).json.items).toEqual([]);

    await visitor.add(4);
    const again = await visitor.order('key-1');
    expect([again.status, again.json.id, again.json.totalCents]).toEqual([201, placed.json.id, totalCents]);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect((await visitor.get('/api/cart')).json.items).toHaveLength(1);

    const path = `/api/orders/${placed.json.id}`;
    await eventually(async () => (await visitor.get(path)).json.status === 'fulfilled');
    const order = (await visitor.get(path)).json;
    expect(order).toMatchObject({ totalCents, items: [{ productId: 3, quantity: 2 }] });
    expect(order.receiptNumber).toMatch(/^R-\d{6}$/);
    expect((await visitor.get('/api/orders')).json).toEqual({ items: [order] });
    expect(await sql(database, 'SELECT 1 FROM jobs WHERE order_id = $1', [order.id])).toEqual([]);
  });

  test('keep the name and price at the time of the order', async () => {
    const visitor = await loggedIn();
    await visitor.add(5);
    const { id, totalCents } = (await visitor.order('key')).json;
    const [{ name, price_cents: price }] = await sql(database, 'SELECT name, price_cents FROM products WHERE id = 5');
    await sql(database, `UPDATE products SET name = 'Renamed', price_cents = price_cents + 100 WHERE id = 5`);
    expect((await visitor.get(`/api/orders/${id}`)).json).toMatchObject({
      totalCents: price,
      items: [{ name, priceCents: price }],
    });
    expect(totalCents).toBe(price);
  });

  test('are rejected with the product name when stock is short, and keep cart and key', async () => {
    const visitor = await loggedIn();
    await sql(database, 'UPDATE products SET stock = 1 WHERE id = 6');
    await visitor.add(6, 2);
    const short = await visitor.order('key');
    expect([short.status, short.json.error.code]).toEqual([409, 'out_of_stock']);
    const [{ name }] = await sql(database, 'SELECT name FROM products WHERE id = 6');
    expect(short.json.error.message).toBe(`Only 1 of ${name} left.`);
    expect((await visitor.get('/api/cart')).json.items).toHaveLength(1);
    await sql(database, 'UPDATE products SET stock = 2 WHERE id = 6');
    expect((await visitor.order('key')).status).toBe(201);
  });

  test('are visible only to their user', async () => {
    const visitor = await loggedIn();
    await visitor.add(7);
    const { id } = (await visitor.order('key')).json;
    const other = await loggedIn();
    expect((await other.get(`/api/orders/${id}`)).status).toBe(404);
    expect((await other.get(`/orders/${id}`)).status).toBe(404);
    expect((await other.get('/api/orders/not-an-id')).status).toBe(404);
    expect((await other.get('/api/orders')).json).toEqual({ items: [] });
    await other.add(7);
    expect((await other.order('key')).json.id).not.toBe(id);
  });
});

describe('pages', () => {
  test('work without JavaScript from catalogue to order', async () => {
    const visitor = shop.visitor();
    expect((await visitor.get('/')).status).toBe(200);
    expect((await visitor.get('/products/8')).status).toBe(200);
    const added = await visitor.submit('/cart/items', { productId: '8', quantity: '2' });
    expect([added.status, added.headers.get('location')]).toEqual([303, '/cart']);
    await visitor.submit('/cart/items', { productId: '9', quantity: '1' });
    expect((await visitor.submit('/cart/items/9/remove', {})).status).toBe(303);

    const early = await visitor.submit('/orders', { idempotencyKey: 'k' });
    expect([early.status, early.headers.get('location')]).toEqual([303, '/login?next=/cart']);
    expect((await visitor.get('/login?next=/cart')).text).toContain('value="/cart"');
    const email = `page-${Date.now()}@example.com`;
    const signedUp = await visitor.submit('/signup', { email, password: PASSWORD, next: '/cart' });
    expect([signedUp.status, signedUp.headers.get('location')]).toEqual([303, '/cart']);

    const cart = (await visitor.get('/cart')).text;
    expect(cart).toContain(email);
    const key = /name="idempotencyKey" value="([^"]+)"/.exec(cart)?.[1] as string;
    const first = await visitor.submit('/orders', { idempotencyKey: key });
    const second = await visitor.submit('/orders', { idempotencyKey: key });
    expect(first.headers.get('location')).toMatch(/^\/orders\/[0-9a-f-]{36}\?placed=true$/);
    expect(second.headers.get('location')).toBe(first.headers.get('location'));
    const order = await visitor.get(first.headers.get('location') as string);
    expect([order.status, order.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect((await visitor.get('/orders')).status).toBe(200);

    const left = await visitor.submit('/logout', {});
    expect([left.status, left.headers.get('location')]).toEqual([303, '/']);
    expect((await visitor.get('/orders')).headers.get('location')).toBe('/login?next=/orders');
  });

  test('show the validation error in the form', async () => {
    const visitor = shop.visitor();
    const email = await shop.visitor().signUp();
    const taken = await visitor.submit('/signup', { email, password: PASSWORD });
    expect([taken.status, taken.text.includes(email)]).toEqual([409, true]);
    const short = await visitor.submit('/signup', { email, password: 'short' });
    expect([short.status, short.text.includes('8 to 200 characters')]).toEqual([400, true]);
    const wrong = await visitor.submit('/login', { email, password: 'wrong', next: '/cart' });
    expect([wrong.status, wrong.text.includes('value="/cart"')]).toEqual([401, true]);
    expect(wrong.text).not.toContain('value="wrong"');
    await visitor.submit('/cart/items', { productId: '1', quantity: '99' });
    const full = await visitor.submit('/cart/items', { productId: '1', quantity: '1' });
    expect([full.status, full.text.includes('at most 99')]).toEqual([409, true]);
  });

  test.each(['//evil.example', '/\\evil.example', 'https://evil.example', '/x y'])(
    'never redirect to %s after login',
    async (next) => {
      const [email] = await makeUsers(database, 1);
      const answer = await shop.visitor().submit('/login', { email: email as string, password: PASSWORD, next });
      expect([answer.status, answer.headers.get('location')]).toEqual([400, null]);
      expect((await shop.visitor().get(`/login?next=${encodeURIComponent(next)}`)).status).toBe(400);
    },
  );

  test('are cacheable at the edge only for visitors without a cookie', async () => {
    const visitor = shop.visitor();
    for (const path of ['/', '/products/1']) {
      const { headers } = await visitor.get(path);
      expect([headers.get('cache-control'), headers.get('vary')]).toEqual([SHARED, 'Cookie']);
    }
    await visitor.add(1);
    for (const path of ['/', '/products/1', '/cart', '/login', '/api/cart']) {
      expect([path, (await visitor.get(path)).headers.get('cache-control')]).toEqual([path, 'no-store']);
    }
  });

  test('show errors as HTML without internals', async () => {
    const { status, headers, text } = await shop.visitor().get('/no/such/page');
    expect([status, headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8']);
    expect(text).not.toMatch(/\.js:\d+|node_modules/);
    expect((await shop.visitor().get('/products/9999')).status).toBe(404);
    expect((await shop.visitor().get('/%zz')).status).toBe(400);
    expect((await shop.visitor().get('/?page=0')).status).toBe(400);
  });

  test('show the server, zone, phase and session store of the response', async () => {
    const { text } = await shop.visitor().get('/');
    for (const word of ['box-1', 'zone-a', 'postgres']) expect(text).toContain(word);
  });
});

describe('security', () => {
  test('every response has a strict CSP that works over plain HTTP', async () => {
    for (const path of ['/', '/api/products', '/nothing', '/api/nothing']) {
      const { headers } = await shop.visitor().get(path);
      const policy = headers.get('content-security-policy') as string;
      expect(policy).toContain("default-src 'none'");
      expect(policy).not.toMatch(/unsafe|upgrade-insecure-requests/);
      expect(headers.get('strict-transport-security')).toBeNull();
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      // With `no-referrer`, browsers send `Origin: null` with the forms of the shop.
      expect(headers.get('referrer-policy')).toBe('same-origin');
      expect(headers.get('x-powered-by')).toBeNull();
    }
  });

  test.each([
    [{ 'sec-fetch-site': 'cross-site' }],
    [{ 'sec-fetch-site': 'same-site' }],
    [{ origin: 'https://evil.example' }],
    [{ origin: 'null' }],
  ])('cross-site writes are rejected: %j', async (headers) => {
    const { status, text } = await shop.visitor().submit('/cart/items', { productId: '1', quantity: '1' }, headers);
    expect(status).toBe(403);
    expect(text).toContain('another site');
    const api = await shop.visitor().post('/api/cart/items', { productId: 1, quantity: 1 }, headers);
    expect(api.json.error.code).toBe('cross_origin');
  });

  test('same-origin writes and writes of non-browser clients are accepted', async () => {
    const own: Record<string, string>[] = [
      { 'sec-fetch-site': 'same-origin' },
      { 'sec-fetch-site': 'none' },
      { origin: shop.url },
      {},
    ];
    for (const headers of own) {
      expect((await shop.visitor().submit('/cart/items', { productId: '1', quantity: '1' }, headers)).status).toBe(303);
    }
  });

  test('forwarding headers are trusted for the configured number of proxies', async () => {
    const forwarded = { 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'https' };
    const behindOne = await testBed.serve(database, { TRUST_PROXY: '1' });
    const open = await shop.visitor().post('/api/cart/items', { productId: 1, quantity: 1 }, forwarded);
    expect(open.headers.get('set-cookie')).not.toContain('Secure');
    expect(open.headers.get('strict-transport-security')).toBeNull();
    const proxied = await behindOne.visitor().post('/api/cart/items', { productId: 1, quantity: 1 }, forwarded);
    expect(proxied.headers.get('set-cookie')).toContain('Secure');
    expect(proxied.headers.get('strict-transport-security')).toBe('max-age=31536000');
    await behindOne.visitor().get('/', { 'x-forwarded-for': '198.51.100.1, 203.0.113.9' });
    expect(behindOne.log()).toContain('"ip":"203.0.113.9"');
    expect(behindOne.log()).not.toContain('"ip":"198.51.100.1"');
    expect(shop.log()).not.toContain('"ip":"203.0.113.9"');
  });

  test('the log contains no secrets and no health checks', async () => {
    const email = await shop.visitor().signUp();
    await shop.visitor().get('/healthz');
    const log = shop.log();
    expect(log).toContain('/api/signup');
    for (const secret of [PASSWORD, email, 'sid=', '/healthz']) expect(log).not.toContain(secret);
  });

  test('a request that is not HTTP gets a 400, and the server keeps running', async () => {
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(Number(new URL(shop.url).port), '127.0.0.1', () =>
        socket.write('\x16\x03\x01 nonsense\r\n\r\n'),
      );
      socket.on('data', (data) => resolve(String(data)));
      socket.on('error', () => {});
    });
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    const methods = await new Promise<number | undefined>((resolve) => {
      httpRequest(`${shop.url}/api/products`, { method: 'PATCH' }, (res) => resolve(res.resume().statusCode)).end();
    });
    expect(methods).toBe(404);
  });
});

test('a server reports its identity, liveness and readiness', async () => {
  const visitor = shop.visitor();
  expect((await visitor.get('/whoami')).json).toEqual({
    server: 'box-1',
    az: 'zone-a',
    phase: 2,
    sessionStore: 'postgres',
    pid: shop.pid,
    version: testBed.bundle.hash,
  });
  expect((await visitor.get('/healthz')).status).toBe(200);
  expect((await visitor.get('/readyz')).status).toBe(200);
});
