import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from './client';
import { verify } from './journeys';
import { isWithin, type Order } from './ledger';
import type { Audit } from './messages';
import { type DatabaseState, readDatabaseState, type StoredOrder } from './shop-database';
import type { Shopper } from './shopper';

/** Visitors that are verified concurrently. */
const CONCURRENCY = 16;

/** Milliseconds without a response to any visitor before the audit gives up. Not a total: a slow machine keeps responding. */
const GIVE_UP_AFTER = 30_000;
/** Milliseconds. */
const RETRY_DELAY = 500;

/** Milliseconds before a read is repeated, so that a replica can catch up. */
const RECHECK_DELAY = 250;

const MAX_EXAMPLES = 5;

/**
 * Verifies that every confirmed order, cart item and login still exists. Each visitor reads their own data through the front
 * door with their own cookies; orders are compared with the database.
 */
export async function audit(
  shoppers: readonly Shopper[],
  client: Client,
  { databaseUrl, receiptsWithin }: { readonly databaseUrl: string; readonly receiptsWithin: number },
): Promise<Audit> {
  const promised = shoppers.filter(({ ledger, account }) => !ledger.isEmpty || account);
  const unanswered = await verifyAll(promised, client);
  const books = await waitForReceipts(databaseUrl, receiptsWithin);
  const orders = compareOrders(promised, books.orders);
  const sum = (of: (shopper: Shopper) => number) => shoppers.reduce((total, shopper) => total + of(shopper), 0);
  const unseen = { cartItems: 0, logIns: 0 };
  for (const { ledger } of unanswered) {
    unseen.cartItems += ledger.confirmedItems;
    unseen.logIns += ledger.loggedIn ? 1 : 0;
  }
  const carts = promised.filter(({ ledger }) => ledger.lost.cartItems > 0 || ledger.surplus > 0);
  return {
    cartItems: {
      acknowledged: sum(({ ledger }) => ledger.acknowledged.cartItems),
      lost: sum(({ ledger }) => ledger.lost.cartItems) + unseen.cartItems,
    },
    orders: { acknowledged: orders.acknowledged, lost: orders.lost },
    logIns: {
      acknowledged: sum(({ ledger }) => ledger.acknowledged.logIns),
      lost: sum(({ ledger }) => ledger.lost.logIns) + unseen.logIns,
    },
    unasked: orders.unasked + sum(({ ledger }) => ledger.surplus),
    stockErrors: books.stockErrors,
    staleReads: sum(({ ledger }) => ledger.staleReads),
    unanswered: unanswered.length,
    receiptsWaiting: books.receiptsWaiting,
    examples: [...orders.examples, ...carts.map(describeCart)].slice(0, MAX_EXAMPLES),
  };
}

/** Waits until every order has its receipt, or until no receipt is made for `receiptsWithin` seconds. */
async function waitForReceipts(databaseUrl: string, receiptsWithin: number): Promise<DatabaseState> {
  let books = await readDatabaseState(databaseUrl);
  let progressAt = performance.now();
  while (books.receiptsWaiting > 0 && performance.now() < progressAt + receiptsWithin * 1000) {
    await sleep(RETRY_DELAY);
    const now = await readDatabaseState(databaseUrl);
    if (now.receiptsWaiting < books.receiptsWaiting) progressAt = performance.now();
    books = now;
  }
  return books;
}

/** Returns the visitors that got no response. */
export async function verifyAll(
  shoppers: readonly Shopper[],
  client: Pick<Client, 'send'>,
  giveUpAfter = GIVE_UP_AFTER,
): Promise<Shopper[]> {
  let answeredAt = performance.now();
  const waiting = [...shoppers];
  const unanswered: Shopper[] = [];
  const lane = async () => {
    for (let shopper = waiting.shift(); shopper; shopper = waiting.shift()) {
      let seen = await verifyOne(shopper, client);
      while (!seen && performance.now() < answeredAt + giveUpAfter) {
        await sleep(RETRY_DELAY);
        seen = await verifyOne(shopper, client);
      }
      if (seen) answeredAt = performance.now();
      else unanswered.push(shopper);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, lane));
  return unanswered;
}

async function verifyOne(shopper: Shopper, client: Pick<Client, 'send'>): Promise<boolean> {
  const journey = verify(shopper);
  let step = journey.next();
  let before = '';
  while (!step.done) {
    if (step.value.path === before) await sleep(RECHECK_DELAY);
    before = step.value.path;
    step = journey.next(await client.send(shopper, step.value));
  }
  return step.value;
}

interface OrderComparison {
  readonly acknowledged: number;
  readonly lost: number;
  readonly unasked: number;
  readonly examples: readonly string[];
}

/** Finds orders that are missing, that differ from the request, or that no visitor requested. */
export function compareOrders(shoppers: readonly Shopper[], stored: readonly StoredOrder[]): OrderComparison {
  const byKey = new Map<string, StoredOrder[]>();
  for (const order of stored) byKey.set(order.key, [...(byKey.get(order.key) ?? []), order]);
  const requested = shoppers.flatMap(({ ledger }) => ledger.orders);
  const acknowledged = requested.filter(({ id }) => id !== undefined);
  const lost = acknowledged.filter((order) => !(byKey.get(order.key) ?? []).some((one) => isSame(order, one)));
  const requestedKeys = new Set(requested.map(({ key }) => key));
  const ours = new Set(shoppers.map(({ account }) => account?.email));
  const unasked = [...byKey].flatMap(([key, orders]) => (requestedKeys.has(key) ? orders.slice(1) : orders));
  const unrequested = unasked.filter(({ email }) => ours.has(email));
  return {
    acknowledged: acknowledged.length,
    lost: lost.length,
    unasked: unrequested.length,
    examples: [
      ...lost.map(({ id }) => `order ${id} was confirmed, but is missing or differs from the request`),
      ...unrequested.map(({ id, email }) => `order ${id} of ${email} was not requested`),
    ],
  };
}

function isSame(order: Order, stored: StoredOrder): boolean {
  const ids = new Set([...order.lines.keys(), ...Object.keys(stored.lines).map(Number)]);
  const sameLines = [...ids].every((id) =>
    isWithin(stored.lines[id] ?? 0, order.lines.get(id) ?? { confirmed: 0, unconfirmed: 0 }),
  );
  return stored.id === order.id && sameLines;
}

function describeCart({ ledger, account }: Shopper): string {
  const whose = account ? `the cart of ${account.email}` : "a visitor's cart";
  const { lost, surplus } = ledger;
  return lost.cartItems > 0
    ? `${whose} is missing ${lost.cartItems} confirmed items`
    : `${whose} has ${surplus} items that were never added`;
}
