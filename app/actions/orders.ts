import type { Database } from '../data/db';
import { findOrderByKey, insertOrder, lockCart, takeLines } from '../data/repositories/orders';
import { ShopError } from '../errors';

export interface PlacedOrder {
  readonly id: string;
  readonly status: string;
  readonly totalCents: number;
  /** The key was used before: this is the order that it made then. */
  readonly replayed: boolean;
}

/** Longest idempotency key. */
export const MAX_KEY_LENGTH = 255;

/**
 * Turns the user's cart into an order, in one transaction: order, lines, stock, empty cart and the receipt's job, or nothing.
 * When the answer is lost, asking again with the same key gives the same order.
 *
 * @throws ShopError 409 when the cart is empty or a product is short; the key is not used up then
 */
export async function placeOrder(database: Database, userId: string, key: string): Promise<PlacedOrder> {
  return database.transaction(async (tx) => {
    const cartId = await lockCart(tx, userId);
    // Not before the lock: whoever held it may just have used the same key.
    const earlier = await findOrderByKey(tx, userId, key);
    if (earlier) {
      return { id: earlier.id, status: earlier.status, totalCents: earlier.totalCents, replayed: true };
    }
    const lines = cartId === undefined ? [] : await takeLines(tx, cartId);
    if (lines.length === 0) throw new ShopError(409, 'cart_empty', 'The cart is empty.');
    for (const line of lines) {
      if (line.stock < line.quantity) throw outOfStock(line.name, line.stock);
    }
    const totalCents = lines.reduce((sum, line) => sum + line.priceCents * line.quantity, 0);
    const id = await insertOrder(tx, userId, key, lines, totalCents);
    return { id, status: 'placed', totalCents, replayed: false };
  });
}

function outOfStock(name: string, stock: number): ShopError {
  const left = stock === 0 ? `${name} is sold out.` : `Only ${stock} of ${name} left.`;
  return new ShopError(409, 'out_of_stock', left);
}
