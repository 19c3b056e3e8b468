import type { Database } from '../data/db';
import { findOrderByKey, insertOrder, lockCart, takeLines } from '../data/repositories/orders';
import { ShopError } from '../errors';

export interface PlacedOrder {
  readonly id: string;
  readonly status: string;
  readonly totalCents: number;
  /** The key was used before. This is its order. */
  readonly replayed: boolean;
}

/**
 * Places an order for the user's cart in one transaction: order, lines, stock, the emptied cart and the job of the receipt. A retry
 * with the same key returns the same order.
 *
 * @throws ShopError 409 if the cart is empty or stock is short. The key can then be used again.
 */
export async function placeOrder(database: Database, userId: string, key: string): Promise<PlacedOrder> {
  return database.transaction(async (tx) => {
    const cartId = await lockCart(tx, userId);
    // Not before the lock, because its last holder may have used the same key.
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
