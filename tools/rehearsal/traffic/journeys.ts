import { randomUUID } from 'node:crypto';
import type { DisplayedCart } from './ledger';
import type { Account, Answer, Call, Journey, Shopper } from './shopper';

/** Dependencies of a journey. */
export interface JourneyContext {
  /** Returns a number in [0, 1). */
  readonly random: () => number;
  /** Takes an unused account of an existing customer; undefined when all are in use. */
  readonly takeAccount: () => Account | undefined;
  /** Whether another sign-up is allowed now. */
  readonly allowSignUp: () => boolean;
}

/** Images that a browser fetches besides the style sheet: those in the viewport. */
const VISIBLE_IMAGES = 2;

/** Attempts at a login or an order before the customer gives up for now. */
const MAX_ATTEMPTS = 8;

/** Journey of a new visitor: 45% browse, 30% fill a cart, 25% buy. */
export function* visit(me: Shopper, context: JourneyContext): Journey {
  const intent = context.random();
  const products = yield* browse(me, context);
  if (intent < 0.45 || products.length === 0) return;
  yield* fillCart(me, context, products);
  if (intent < 0.75) return;
  yield* buy(me, context);
}

/** Journey of a returning visitor: verifies their data, browses, and may buy. */
export function* returnVisit(me: Shopper, context: JourneyContext): Journey {
  if (!(yield* verify(me))) return;
  const products = yield* browse(me, context);
  if (products.length > 0 && context.random() < 0.5) yield* fillCart(me, context, products);
  if (me.ledger.confirmedItems > 0 && context.random() < 0.5) yield* buy(me, context);
}

/**
 * Verifies that all confirmed data still exists. Missing data counts as lost, unless a second read finds it.
 *
 * @returns false if the shop did not respond, so that the result is unknown
 */
export function* verify(me: Shopper): Generator<Call, boolean, Answer> {
  if (me.ledger.loggedIn) {
    const who = yield get('account', '/api/me', { expected: [401] });
    if (who.status === 401) me.ledger.recordLostLogin();
  }
  // Also after a login without a response: it may have merged the cart into the account.
  if (me.account && !me.ledger.loggedIn) {
    yield* logIn(me);
    if (!me.ledger.loggedIn) return false;
  }
  if (me.ledger.pending) {
    yield* checkOut(me);
    if (me.ledger.pending) return false;
  }
  let cart = yield get('cart', '/api/cart');
  if (cart.outcome !== 'ok') return false;
  if (me.ledger.missingIn(cartOf(cart)) > 0) {
    cart = yield get('cart', '/api/cart');
    if (cart.outcome !== 'ok') return false;
    if (me.ledger.missingIn(cartOf(cart)) === 0) me.ledger.staleReads += 1;
  }
  me.ledger.reconcileCart(cartOf(cart));
  return true;
}

/** Front page, a category, a search, a product. Returns ids of products seen. */
function* browse(me: Shopper, context: JourneyContext): Generator<Call, number[], Answer> {
  yield* page(me, '/');
  const list = yield get('catalogue', `/api/products?page=${1 + Math.floor(context.random() * 3)}`);
  if (list.outcome !== 'ok') return [];
  const { items } = JSON.parse(list.text) as { items: { id: number; name: string; category: string }[] };
  const [liked] = items.slice(Math.floor(context.random() * items.length));
  if (liked === undefined) return [];
  yield* page(me, `/?category=${encodeURIComponent(liked.category)}`);
  if (context.random() < 0.4) {
    const word = liked.name.split(' ').at(-1) as string;
    yield get('catalogue', `/api/products?q=${encodeURIComponent(word)}`);
  }
  yield* page(me, `/products/${liked.id}`);
  yield get('catalogue', `/api/products/${liked.id}`);
  return [liked.id, ...items.slice(0, 3).map(({ id }) => id)];
}

/** A page, and its static files that are not in the browser's cache. */
function* page(me: Shopper, path: string): Journey {
  const answer = yield get('page', path);
  if (answer.outcome !== 'ok') return;
  for (const url of staticFiles(answer.text)) {
    if (me.fetched.has(url)) continue;
    me.fetched.add(url);
    yield get('static', url, { immediate: true });
  }
}

/** Returns URLs of a page's style sheet and first images. */
export function staticFiles(html: string): string[] {
  const [style] = [...html.matchAll(/<link rel="stylesheet" href="([^"]+)"/g)].map(([, url]) => url as string);
  const images = [...html.matchAll(/<img src="([^"]+)"/g)].map(([, url]) => url as string);
  return [...new Set([...(style === undefined ? [] : [style]), ...images.slice(0, VISIBLE_IMAGES)])];
}

function* fillCart(me: Shopper, context: JourneyContext, products: readonly number[]): Generator<Call, void, Answer> {
  const items = 1 + Math.floor(context.random() * 3);
  for (let count = 0; count < items; count++) {
    const productId = products[Math.floor(context.random() * products.length)] as number;
    const answer = yield { kind: 'cart', method: 'POST', path: '/api/cart/items', body: { productId, quantity: 1 } };
    if (answer.outcome === 'ok') {
      me.ledger.recordAdded(productId, true);
      if (me.ledger.missingIn(cartOf(answer)) > 0) yield* verify(me);
    } else if (answer.outcome !== 'wrong') {
      me.ledger.recordAdded(productId, false);
    }
  }
  yield get('cart', '/cart');
}

function* buy(me: Shopper, context: JourneyContext): Journey {
  if (!me.ledger.loggedIn) {
    if (me.account) yield* logIn(me);
    else yield* logInOrSignUp(me, context);
  }
  if (!me.ledger.loggedIn || me.ledger.confirmedItems === 0) return;
  me.ledger.startOrder(randomUUID());
  yield* checkOut(me);
  if (me.ledger.pending === undefined) yield* verify(me);
  yield get('order', '/orders');
}

/** Logs in to an existing account, or signs up with a probability of 20%. */
function* logInOrSignUp(me: Shopper, context: JourneyContext): Journey {
  if (context.random() < 0.2 && context.allowSignUp()) {
    const account = { email: `${randomUUID()}@example.com`, password: randomUUID() };
    const answer = yield { kind: 'account', method: 'POST', path: '/api/signup', body: account };
    // Without a response, the account may exist, and the cart may have moved into it.
    if (answer.outcome === 'ok') {
      me.account = account;
      me.ledger.recordLogin();
      return;
    }
    if (answer.outcome !== 'wrong') me.account = { ...account, unconfirmed: true };
  } else {
    me.account = context.takeAccount();
  }
  if (me.account) yield* logIn(me);
}

function* logIn(me: Shopper): Journey {
  const { email, password, unconfirmed } = me.account as Account;
  const body = { email, password };
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const answer = yield {
      kind: 'account',
      method: 'POST',
      path: '/api/login',
      body,
      expected: unconfirmed ? [401] : [],
    };
    if (answer.status === 200) {
      me.account = body;
      me.ledger.recordLogin();
      return;
    }
    if (answer.status === 401) me.account = undefined;
    if (answer.outcome === 'ok' || answer.outcome === 'wrong') return;
  }
}

/** Places the pending order; retries use the same idempotency key. */
function* checkOut(me: Shopper): Journey {
  const { key } = me.ledger.pending as { key: string };
  const call: Call = { kind: 'order', method: 'POST', path: '/api/orders', headers: { 'idempotency-key': key } };
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const answer = yield { ...call, expected: [409] };
    if (answer.status === 201) {
      me.ledger.confirmOrder((JSON.parse(answer.text) as { id: string }).id);
      return;
    }
    if (answer.status === 409) {
      // Sold out, or the cart was lost. The next read of the cart finds out which.
      me.ledger.discardOrder();
      return;
    }
    if (answer.status === 401 && me.ledger.loggedIn) {
      me.ledger.recordLostLogin();
      yield* logIn(me);
    }
  }
}

function cartOf({ text }: Answer): DisplayedCart {
  const { items } = JSON.parse(text) as { items: { productId: number; quantity: number }[] };
  return new Map(items.map(({ productId, quantity }) => [productId, quantity]));
}

function get(kind: Call['kind'], path: string, more: Partial<Call> = {}): Call {
  return { kind, method: 'GET', path, ...more };
}
