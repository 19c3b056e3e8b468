import { type ShopServer, slowDownCarts, TestBed } from '../support/shop';

let testBed: TestBed;
let shop: ShopServer;

beforeAll(async () => {
  testBed = await TestBed.open();
  const database = await testBed.database();
  shop = await testBed.serve(database, { LOAD_SHEDDING: 'true' });
  await slowDownCarts(database);
});

afterAll(() => testBed?.close());

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
  const reasons = new Set<string>();
  for (const { headers, text } of refused) {
    expect([headers.get('retry-after'), headers.get('cache-control')]).toEqual(['1', 'no-store']);
    const isPage = headers.get('content-type') === 'text/html; charset=utf-8';
    reasons.add(
      isPage ? (/very busy|cannot answer this right now/.exec(text)?.[0] ?? text) : JSON.parse(text).error.code,
    );
  }
  // Most are shed. On a slow machine, some time out after waiting a second for a database connection.
  expect([...reasons]).toEqual(expect.arrayContaining(['very busy', 'overloaded']));
  const others = [...reasons].filter((reason) => !['very busy', 'overloaded'].includes(reason));
  expect(['cannot answer this right now', 'unavailable']).toEqual(expect.arrayContaining(others));
  expect((await get('/api/cart')).status).toBe(200);
});
