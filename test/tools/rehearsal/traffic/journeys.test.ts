import { type JourneyContext, staticFiles, verify, visit } from '../../../../tools/rehearsal/traffic/journeys';
import { type Answer, type Call, type Journey, Shopper } from '../../../../tools/rehearsal/traffic/shopper';

const ok = (body: unknown, status = 200): Answer => ({ outcome: 'ok', status, text: JSON.stringify(body) });
const none: Answer = { outcome: 'failed', status: 0, text: '' };
const cart = (items: Record<number, number>) =>
  ok({ items: Object.entries(items).map(([id, quantity]) => ({ productId: Number(id), quantity })) });

/** Runs a journey against a fake shop. Returns its requests. */
function walk(journey: Journey, answer: (call: Call) => Answer): string[] {
  const requests: string[] = [];
  let step = journey.next();
  while (!step.done) {
    requests.push(`${step.value.method} ${step.value.path}`);
    step = journey.next(answer(step.value));
  }
  return requests;
}

function contextOf(...numbers: number[]): JourneyContext {
  let next = 0;
  return {
    random: () => numbers[next++ % numbers.length] as number,
    takeAccount: () => ({ email: 'a@example.com', password: 'secret' }),
    allowSignUp: () => true,
  };
}

/** A working shop with a single cart. */
function shop() {
  const quantities: Record<number, number> = {};
  let orders = 0;
  return (call: Call): Answer => {
    if (call.path.startsWith('/api/products?')) return ok({ items: [{ id: 7, name: 'Oak stool', category: 'home' }] });
    if (call.path === '/api/cart/items') {
      const { productId } = call.body as { productId: number };
      quantities[productId] = (quantities[productId] ?? 0) + 1;
    }
    if (call.path === '/api/orders') {
      delete quantities[7];
      orders += 1;
      return ok({ id: `order-${orders}` }, 201);
    }
    return call.path.startsWith('/api/cart') ? cart(quantities) : ok({});
  };
}

test('a visitor who only browses requests pages and products and has no data to verify', () => {
  const me = new Shopper('127.0.0.1');
  const requests = walk(visit(me, contextOf(0.1)), shop());
  expect(requests[0]).toBe('GET /');
  expect(requests.filter((one) => one.startsWith('POST'))).toEqual([]);
  expect(me.ledger.isEmpty).toBe(true);
});

test('a customer fills a cart, logs in, and buys', () => {
  const me = new Shopper('127.0.0.1');
  const requests = walk(visit(me, contextOf(0.9)), shop());
  const written = requests.filter((one) => one.startsWith('POST'));
  expect(written).toEqual([
    'POST /api/cart/items',
    'POST /api/cart/items',
    'POST /api/cart/items',
    'POST /api/login',
    'POST /api/orders',
  ]);
  expect(me.ledger.orders).toMatchObject([{ id: 'order-1' }]);
  expect(me.ledger.acknowledged).toEqual({ cartItems: 3, logIns: 1 });
});

test('an order without a response is retried with the same idempotency key', () => {
  const me = new Shopper('127.0.0.1');
  const working = shop();
  const keys: unknown[] = [];
  walk(visit(me, contextOf(0.9)), (call) => {
    if (call.path !== '/api/orders') return working(call);
    keys.push(call.headers?.['idempotency-key']);
    return keys.length < 3 ? none : working(call);
  });
  expect(keys).toHaveLength(3);
  expect(new Set(keys).size).toBe(1);
  expect(me.ledger.orders).toMatchObject([{ id: 'order-1' }]);
});

test('an order without any response stays pending, and the cart is not used', () => {
  const me = new Shopper('127.0.0.1');
  const working = shop();
  const requests = walk(visit(me, contextOf(0.9)), (call) => (call.path === '/api/orders' ? none : working(call)));
  expect(me.ledger.pending).toBeDefined();
  expect(requests.at(-2)).toBe('POST /api/orders');
});

test('a cart that is complete on the second read was stale, not lost', () => {
  const me = new Shopper('127.0.0.1');
  me.ledger.recordAdded(1, true);
  let reads = 0;
  walk(verify(me), () => {
    reads += 1;
    return cart(reads === 1 ? {} : { 1: 1 });
  });
  expect([me.ledger.staleReads, me.ledger.lost.cartItems]).toEqual([1, 0]);
});

test('items that are missing on both reads are lost', () => {
  const me = new Shopper('127.0.0.1');
  me.ledger.recordAdded(1, true);
  walk(verify(me), () => cart({}));
  expect([me.ledger.staleReads, me.ledger.lost.cartItems]).toEqual([0, 1]);
});

test('a lost login counts, and the customer logs in again before the cart is verified', () => {
  const me = new Shopper('127.0.0.1');
  me.account = { email: 'a@example.com', password: 'secret' };
  me.ledger.recordLogin();
  me.ledger.recordAdded(1, true);
  let loggedIn = false;
  const requests = walk(verify(me), (call) => {
    if (call.path === '/api/me') return { outcome: 'ok', status: 401, text: '' };
    if (call.path === '/api/login') loggedIn = true;
    return cart(loggedIn ? { 1: 1 } : {});
  });
  expect(requests).toEqual(['GET /api/me', 'POST /api/login', 'GET /api/cart']);
  expect([me.ledger.lost, me.ledger.loggedIn]).toEqual([{ cartItems: 0, logIns: 1 }, true]);
});

test('a sign-up without a response is followed by a login, because the account may exist', () => {
  const me = new Shopper('127.0.0.1');
  const working = shop();
  // A new visitor who buys one item.
  const context = contextOf(0.9, 0.5, 0, 0.9, 0, 0, 0.1);
  const written: string[] = [];
  walk(visit(me, context), (call) => {
    if (call.method === 'POST') written.push(call.path);
    if (call.path === '/api/signup') return none;
    if (call.path === '/api/login') return { outcome: 'ok', status: 401, text: '' };
    return working(call);
  });
  expect(written).toEqual(['/api/cart/items', '/api/signup', '/api/login']);
  expect([me.account, me.ledger.loggedIn, me.ledger.confirmedItems]).toEqual([undefined, false, 1]);
});

test('without a response, nothing counts as lost', () => {
  const me = new Shopper('127.0.0.1');
  me.ledger.recordAdded(1, true);
  const journey = verify(me);
  journey.next();
  expect(journey.next(none)).toEqual({ done: true, value: false });
  expect(me.ledger.lost.cartItems).toBe(0);
});

test('a browser fetches the style sheet and the first images of a page', () => {
  const page = `<link rel="icon" href="/i.svg"><link rel="stylesheet" href="/a.css"><img src="/1.svg"><img src="/2.svg"><img src="/3.svg">`;
  expect(staticFiles(page)).toEqual(['/a.css', '/1.svg', '/2.svg']);
});

test('cookies are stored until they expire', () => {
  const me = new Shopper('127.0.0.1');
  me.storeCookies(['sid=a=b; Path=/; HttpOnly', 'wrote=1; Path=/']);
  expect(me.cookie).toBe('sid=a=b; wrote=1');
  me.storeCookies(['sid=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT']);
  expect(me.cookie).toBe('wrote=1');
});
