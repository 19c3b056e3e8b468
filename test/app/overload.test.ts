import { Bench, type ShopServer, slowDownCarts } from '../support/shop';

let bench: Bench;
let shop: ShopServer;

beforeAll(async () => {
  bench = await Bench.open();
  const database = await bench.database();
  shop = await bench.serve(database);
  await slowDownCarts(database);
});

afterAll(() => bench?.close());

/** Returns the cookie of a visitor with a cart. */
async function cartCookie(): Promise<string> {
  const visitor = shop.visitor();
  // The view rejects the insert, but the session exists by then.
  await visitor.add(1);
  return `sid=${visitor.cookies.get('sid')}`;
}

test('a shed request gets Retry-After, and an HTML page in a browser', async () => {
  const cookie = await cartCookie();
  const get = async (path: string) => {
    const answer = await fetch(shop.url + path, { headers: { cookie } });
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  };
  const answers = await Promise.all(Array.from({ length: 300 }, (_, index) => get(index % 2 ? '/cart' : '/api/cart')));
  const refused = answers.filter(({ status }) => status === 503);
  expect(refused.length).toBeGreaterThan(0);
  for (const { headers, text } of refused) {
    expect([headers.get('retry-after'), headers.get('cache-control')]).toEqual(['1', 'no-store']);
    if (headers.get('content-type') === 'text/html; charset=utf-8') expect(text).toContain('very busy');
    else expect(JSON.parse(text).error.code).toBe('overloaded');
  }
  expect((await get('/api/cart')).status).toBe(200);
});
