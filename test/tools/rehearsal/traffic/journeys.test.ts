import { confirm, staticFiles, visit, type World } from '../../../../tools/rehearsal/traffic/journeys';
import { type Answer, type Call, type Journey, Shopper } from '../../../../tools/rehearsal/traffic/shopper';

const ok = (body: unknown, status = 200): Answer => ({ outcome: 'ok', status, text: JSON.stringify(body) });
const none: Answer = { outcome: 'failed', status: 0, text: '' };
const cart = (items: Record<number, number>) =>
  ok({ items: Object.entries(items).map(([id, quantity]) => ({ productId: Number(id), quantity })) });

/** Runs a journey against a shop that answers by a function. */
function walk(journey: Journey, answer: (call: Call) => Answer): string[] {
  const asked: string[] = [];
  let step = journey.next();
  while (!step.done) {
    asked.push(`${step.value.method} ${step.value.path}`);
    step = journey.next(answer(step.value));
  }
  return asked;
}

function worldOf(...numbers: number[]): World {
  let next = 0;
  return {
    random: () => numbers[next++ % numbers.length] as number,
    takeAccount: () => ({ email: 'a@example.com', password: 'secret' }),
    maySignUp: () => true,
  };
}

/** A shop that works, with a single cart. */
function shop() {
  const pieces: Record<number, number> = {};
  let orders = 0;
  return (call: Call): Answer => {
    if (call.path.startsWith('/api/products?')) return ok({ items: [{ id: 7, name: 'Oak stool', category: 'home' }] });
    if (call.path === '/api/cart/items') {
      const { productId } = call.body as { productId: number };
      pieces[productId] = (pieces[productId] ?? 0) + 1;
    }
    if (call.path === '/api/orders') {
      delete pieces[7];
      orders += 1;
      return ok({ id: `order-${orders}` }, 201);
    }
    return call.path.startsWith('/api/cart') ? cart(pieces) : ok({});
  };
}

test('a visitor who only looks asks for pages and products and promises nothing', () => {
  const me = new Shopper('127.0.0.1');
  const asked = walk(visit(me, worldOf(0.1)), shop());
  expect(asked[0]).toBe('GET /');
  expect(asked.filter((one) => one.startsWith('POST'))).toEqual([]);
  expect(me.ledger.isEmpty).toBe(true);
});

test('a customer fills a cart, logs in, and buys under one idempotency key', () => {
  const me = new Shopper('127.0.0.1');
  const asked = walk(visit(me, worldOf(0.9)), shop());
  const written = asked.filter((one) => one.startsWith('POST'));
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

test('an order without an answer is asked for again under the same key', () => {
  const me = new Shopper('127.0.0.1');
  const working = shop();
  const keys: unknown[] = [];
  walk(visit(me, worldOf(0.9)), (call) => {
    if (call.path !== '/api/orders') return working(call);
    keys.push(call.headers?.['idempotency-key']);
    return keys.length < 3 ? none : working(call);
  });
  expect(keys).toHaveLength(3);
  expect(new Set(keys).size).toBe(1);
  expect(me.ledger.orders).toMatchObject([{ id: 'order-1' }]);
});

test('an order that is never answered stays open, and the cart is left alone', () => {
  const me = new Shopper('127.0.0.1');
  const working = shop();
  const asked = walk(visit(me, worldOf(0.9)), (call) => (call.path === '/api/orders' ? none : working(call)));
  expect(me.ledger.pending).toBeDefined();
  expect(asked.at(-2)).toBe('POST /api/orders');
});

test('a cart that is short at first and right at the second look was stale, not lost', () => {
  const me = new Shopper('127.0.0.1');
  me.ledger.added(1, true);
  let looks = 0;
  walk(confirm(me), () => {
    looks += 1;
    return cart(looks === 1 ? {} : { 1: 1 });
  });
  expect([me.ledger.staleReads, me.ledger.lost.cartItems]).toEqual([1, 0]);
});

test('a cart that stays short is lost', () => {
  const me = new Shopper('127.0.0.1');
  me.ledger.added(1, true);
  walk(confirm(me), () => cart({}));
  expect([me.ledger.staleReads, me.ledger.lost.cartItems]).toEqual([0, 1]);
});

test('a log-in that is gone counts, and the customer logs in again before the cart is judged', () => {
  const me = new Shopper('127.0.0.1');
  me.account = { email: 'a@example.com', password: 'secret' };
  me.ledger.loggedInNow();
  me.ledger.added(1, true);
  let inside = false;
  const asked = walk(confirm(me), (call) => {
    if (call.path === '/api/me') return { outcome: 'ok', status: 401, text: '' };
    if (call.path === '/api/login') inside = true;
    return cart(inside ? { 1: 1 } : {});
  });
  expect(asked).toEqual(['GET /api/me', 'POST /api/login', 'GET /api/cart']);
  expect([me.ledger.lost, me.ledger.loggedIn]).toEqual([{ cartItems: 0, logIns: 1 }, true]);
});

test('a sign-up without an answer is followed by log-ins, as there may be such an account', () => {
  const me = new Shopper('127.0.0.1');
  const working = shop();
  // Somebody who buys one piece, and is new.
  const world = worldOf(0.9, 0.5, 0, 0.9, 0, 0, 0.1);
  const written: string[] = [];
  walk(visit(me, world), (call) => {
    if (call.method === 'POST') written.push(call.path);
    if (call.path === '/api/signup') return none;
    if (call.path === '/api/login') return { outcome: 'ok', status: 401, text: '' };
    return working(call);
  });
  expect(written).toEqual(['/api/cart/items', '/api/signup', '/api/login']);
  expect([me.account, me.ledger.loggedIn, me.ledger.kept]).toEqual([undefined, false, 1]);
});

test('nobody can tell what a shop has that does not answer', () => {
  const me = new Shopper('127.0.0.1');
  me.ledger.added(1, true);
  const journey = confirm(me);
  journey.next();
  expect(journey.next(none)).toEqual({ done: true, value: false });
  expect(me.ledger.lost.cartItems).toBe(0);
});

test('a browser fetches the style sheet and the first pictures of a page', () => {
  const page = `<link rel="icon" href="/i.svg"><link rel="stylesheet" href="/a.css"><img src="/1.svg"><img src="/2.svg"><img src="/3.svg">`;
  expect(staticFiles(page)).toEqual(['/a.css', '/1.svg', '/2.svg']);
});

test('cookies are kept until they are told to go', () => {
  const me = new Shopper('127.0.0.1');
  me.keepCookies(['sid=a=b; Path=/; HttpOnly', 'wrote=1; Path=/']);
  expect(me.cookie).toBe('sid=a=b; wrote=1');
  me.keepCookies(['sid=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT']);
  expect(me.cookie).toBe('wrote=1');
});
