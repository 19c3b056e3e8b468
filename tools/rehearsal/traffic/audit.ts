import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from './client';
import { confirm } from './journeys';
import { type Order, within } from './ledger';
import type { Audit } from './messages';
import type { Shopper } from './shopper';
import { type Books, type KeptOrder, readBooks } from './store';

/** Visitors who are asked at the same time. */
const AT_ONCE = 16;

/**
 * Milliseconds without an answer to any visitor after which the shop is not asked again, and the pause before it is. A slow
 * machine takes longer for all of them, and still answers one after the other.
 */
const ASKED_FOR = 30_000;
const PAUSE = 500;

/** Pause before a second look, so that a replica can catch up. */
const SECOND_LOOK = 250;

const EXAMPLES = 5;

/**
 * Holds what visitors were told against what there is: each looks through the front door at what is theirs, with their own
 * cookies, and the orders are compared with those in the database.
 */
export async function audit(
  shoppers: readonly Shopper[],
  client: Client,
  { databaseUrl, receiptsWithin }: { readonly databaseUrl: string; readonly receiptsWithin: number },
): Promise<Audit> {
  const promised = shoppers.filter(({ ledger, account }) => !ledger.isEmpty || account);
  const unanswered = await askAll(promised, client);
  const books = await readBooksAtRest(databaseUrl, receiptsWithin);
  const orders = compareOrders(promised, books.orders);
  const sum = (of: (shopper: Shopper) => number) => shoppers.reduce((total, shopper) => total + of(shopper), 0);
  const unseen = { cartItems: 0, logIns: 0 };
  for (const { ledger } of unanswered) {
    unseen.cartItems += ledger.kept;
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
    examples: [...orders.examples, ...carts.map(describeCart)].slice(0, EXAMPLES),
  };
}

/** Once the orders have their receipts, or none has got one for so many seconds. */
async function readBooksAtRest(databaseUrl: string, receiptsWithin: number): Promise<Books> {
  let books = await readBooks(databaseUrl);
  let progressAt = performance.now();
  while (books.receiptsWaiting > 0 && performance.now() < progressAt + receiptsWithin * 1000) {
    await sleep(PAUSE);
    const now = await readBooks(databaseUrl);
    if (now.receiptsWaiting < books.receiptsWaiting) progressAt = performance.now();
    books = now;
  }
  return books;
}

/** Returns those who got no answer. */
export async function askAll(
  shoppers: readonly Shopper[],
  client: Pick<Client, 'send'>,
  askedFor = ASKED_FOR,
): Promise<Shopper[]> {
  let answeredAt = performance.now();
  const waiting = [...shoppers];
  const unanswered: Shopper[] = [];
  const lane = async () => {
    for (let shopper = waiting.shift(); shopper; shopper = waiting.shift()) {
      let seen = await look(shopper, client);
      while (!seen && performance.now() < answeredAt + askedFor) {
        await sleep(PAUSE);
        seen = await look(shopper, client);
      }
      if (seen) answeredAt = performance.now();
      else unanswered.push(shopper);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return unanswered;
}

async function look(shopper: Shopper, client: Pick<Client, 'send'>): Promise<boolean> {
  const journey = confirm(shopper);
  let step = journey.next();
  let before = '';
  while (!step.done) {
    if (step.value.path === before) await sleep(SECOND_LOOK);
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

/** Which orders are missing, not what was ordered, or nobody's wish. */
export function compareOrders(shoppers: readonly Shopper[], kept: readonly KeptOrder[]): OrderComparison {
  const byKey = new Map<string, KeptOrder[]>();
  for (const order of kept) byKey.set(order.key, [...(byKey.get(order.key) ?? []), order]);
  const asked = shoppers.flatMap(({ ledger }) => ledger.orders);
  const acknowledged = asked.filter(({ id }) => id !== undefined);
  const lost = acknowledged.filter((order) => !(byKey.get(order.key) ?? []).some((one) => isSame(order, one)));
  const wished = new Set(asked.map(({ key }) => key));
  const ours = new Set(shoppers.map(({ account }) => account?.email));
  const unasked = [...byKey].flatMap(([key, orders]) => (wished.has(key) ? orders.slice(1) : orders));
  const strange = unasked.filter(({ email }) => ours.has(email));
  return {
    acknowledged: acknowledged.length,
    lost: lost.length,
    unasked: strange.length,
    examples: [
      ...lost.map(({ id }) => `order ${id} was acknowledged, and is not there as it was ordered`),
      ...strange.map(({ id, email }) => `order ${id} of ${email} was not asked for`),
    ],
  };
}

function isSame(order: Order, kept: KeptOrder): boolean {
  const ids = new Set([...order.lines.keys(), ...Object.keys(kept.lines).map(Number)]);
  const right = [...ids].every((id) => within(kept.lines[id] ?? 0, order.lines.get(id) ?? { kept: 0, maybe: 0 }));
  return kept.id === order.id && right;
}

function describeCart({ ledger, account }: Shopper): string {
  const whose = account ? `the cart of ${account.email}` : "a visitor's cart";
  const { lost, surplus } = ledger;
  return lost.cartItems > 0
    ? `${whose} had ${lost.cartItems} acknowledged pieces less than it should`
    : `${whose} had ${surplus} pieces that nobody put there`;
}
