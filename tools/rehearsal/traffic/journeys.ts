import { randomUUID } from 'node:crypto';
import type { Shown } from './ledger';
import type { Account, Answer, Call, Journey, Shopper } from './shopper';

/** What visitors need from around them. */
export interface World {
  /** A number from 0 up to 1. */
  readonly random: () => number;
  /** An account that a returning customer has and nobody else uses; nothing when all are taken. */
  readonly takeAccount: () => Account | undefined;
  /** Whether one more may sign up just now. */
  readonly maySignUp: () => boolean;
}

/** Static files that a page asks for besides its style sheet: those in sight. */
const PICTURES = 2;

/** How often a customer tries to get an answer about a log-in or an order before they give up for the time being. */
const TRIES = 8;

/** What somebody new does: many only look, some fill a cart, and some of these buy. */
export function* visit(me: Shopper, world: World): Journey {
  const intent = world.random();
  const products = yield* browse(me, world);
  if (intent < 0.45 || products.length === 0) return;
  yield* fillCart(me, world, products);
  if (intent < 0.75) return;
  yield* buy(me, world);
}

/** Somebody comes back: finds what they left, looks around, and perhaps buys. */
export function* comeBack(me: Shopper, world: World): Journey {
  if (!(yield* confirm(me))) return;
  const products = yield* browse(me, world);
  if (products.length > 0 && world.random() < 0.5) yield* fillCart(me, world, products);
  if (me.ledger.kept > 0 && world.random() < 0.5) yield* buy(me, world);
}

/**
 * Looks whether all that was promised is there; what is not is lost, unless a second look finds it.
 *
 * @returns false when the shop did not answer, so that nobody can tell
 */
export function* confirm(me: Shopper): Generator<Call, boolean, Answer> {
  if (me.ledger.loggedIn) {
    const who = yield get('account', '/api/me', { also: [401] });
    if (who.status === 401) me.ledger.logInLost();
  }
  // Also after a log-in that was not answered: it may have moved the cart into the account.
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
  if (me.ledger.missingIn(cartIn(cart)) > 0) {
    cart = yield get('cart', '/api/cart');
    if (cart.outcome !== 'ok') return false;
    if (me.ledger.missingIn(cartIn(cart)) === 0) me.ledger.staleReads += 1;
  }
  me.ledger.settleCart(cartIn(cart));
  return true;
}

/** Front page, a category, a search, some products. Returns products that were seen. */
function* browse(me: Shopper, world: World): Generator<Call, number[], Answer> {
  yield* page(me, '/');
  const list = yield get('catalogue', `/api/products?page=${1 + Math.floor(world.random() * 3)}`);
  if (list.outcome !== 'ok') return [];
  const { items } = JSON.parse(list.text) as { items: { id: number; name: string; category: string }[] };
  const [liked] = items.slice(Math.floor(world.random() * items.length));
  if (liked === undefined) return [];
  yield* page(me, `/?category=${encodeURIComponent(liked.category)}`);
  if (world.random() < 0.4) {
    const word = liked.name.split(' ').at(-1) as string;
    yield get('catalogue', `/api/products?q=${encodeURIComponent(word)}`);
  }
  yield* page(me, `/products/${liked.id}`);
  yield get('catalogue', `/api/products/${liked.id}`);
  return [liked.id, ...items.slice(0, 3).map(({ id }) => id)];
}

/** A page with the static files that the browser does not have yet. */
function* page(me: Shopper, path: string): Journey {
  const answer = yield get('page', path);
  if (answer.outcome !== 'ok') return;
  for (const url of staticFiles(answer.text)) {
    if (me.fetched.has(url)) continue;
    me.fetched.add(url);
    yield get('static', url, { atOnce: true });
  }
}

/** The style sheet and the first pictures of a page. */
export function staticFiles(html: string): string[] {
  const [style] = [...html.matchAll(/<link rel="stylesheet" href="([^"]+)"/g)].map(([, url]) => url as string);
  const pictures = [...html.matchAll(/<img src="([^"]+)"/g)].map(([, url]) => url as string);
  return [...new Set([...(style === undefined ? [] : [style]), ...pictures.slice(0, PICTURES)])];
}

function* fillCart(me: Shopper, world: World, products: readonly number[]): Generator<Call, void, Answer> {
  const wanted = 1 + Math.floor(world.random() * 3);
  for (let count = 0; count < wanted; count++) {
    const productId = products[Math.floor(world.random() * products.length)] as number;
    const answer = yield { kind: 'cart', method: 'POST', path: '/api/cart/items', body: { productId, quantity: 1 } };
    if (answer.outcome === 'ok') {
      me.ledger.added(productId, true);
      if (me.ledger.missingIn(cartIn(answer)) > 0) yield* confirm(me);
    } else if (answer.outcome !== 'wrong') {
      me.ledger.added(productId, false);
    }
  }
  yield get('cart', '/cart');
}

function* buy(me: Shopper, world: World): Journey {
  if (!me.ledger.loggedIn) {
    if (me.account) yield* logIn(me);
    else yield* becomeCustomer(me, world);
  }
  if (!me.ledger.loggedIn || me.ledger.kept === 0) return;
  me.ledger.ordering(randomUUID());
  yield* checkOut(me);
  if (me.ledger.pending === undefined) yield* confirm(me);
  yield get('order', '/orders');
}

/** Returning customers log in; with a chance, or when there is no account left, somebody signs up. */
function* becomeCustomer(me: Shopper, world: World): Journey {
  if (world.random() < 0.2 && world.maySignUp()) {
    const account = { email: `${randomUUID()}@example.com`, password: randomUUID() };
    const answer = yield { kind: 'account', method: 'POST', path: '/api/signup', body: account };
    // Without an answer there may be such an account, and what is in the cart may be in it.
    if (answer.outcome === 'ok') {
      me.account = account;
      me.ledger.loggedInNow();
      return;
    }
    if (answer.outcome !== 'wrong') me.account = { ...account, unsure: true };
  } else {
    me.account = world.takeAccount();
  }
  if (me.account) yield* logIn(me);
}

function* logIn(me: Shopper): Journey {
  const { email, password, unsure } = me.account as Account;
  const body = { email, password };
  for (let tries = 0; tries < TRIES; tries++) {
    const answer = yield { kind: 'account', method: 'POST', path: '/api/login', body, also: unsure ? [401] : [] };
    if (answer.status === 200) {
      me.account = body;
      me.ledger.loggedInNow();
      return;
    }
    if (answer.status === 401) me.account = undefined;
    if (answer.outcome === 'ok' || answer.outcome === 'wrong') return;
  }
}

/** The pending order, again and again under its key until it is answered. */
function* checkOut(me: Shopper): Journey {
  const { key } = me.ledger.pending as { key: string };
  const call: Call = { kind: 'order', method: 'POST', path: '/api/orders', headers: { 'idempotency-key': key } };
  for (let tries = 0; tries < TRIES; tries++) {
    const answer = yield { ...call, also: [409] };
    if (answer.status === 201) {
      me.ledger.ordered((JSON.parse(answer.text) as { id: string }).id);
      return;
    }
    if (answer.status === 409) {
      // Sold out; or the cart is empty and was lost, which the next look at it will tell.
      me.ledger.notOrdered();
      return;
    }
    if (answer.status === 401 && me.ledger.loggedIn) {
      me.ledger.logInLost();
      yield* logIn(me);
    }
  }
}

function cartIn({ text }: Answer): Shown {
  const { items } = JSON.parse(text) as { items: { productId: number; quantity: number }[] };
  return new Map(items.map(({ productId, quantity }) => [productId, quantity]));
}

function get(kind: Call['kind'], path: string, more: Partial<Call> = {}): Call {
  return { kind, method: 'GET', path, ...more };
}
