import { MAX_QUANTITY } from '../../limits';
import type { CartItem } from '../../types';
import type { Queryable } from '../db';

/** A cart for a visitor who is not logged in. */
export async function createCart(db: Queryable): Promise<string> {
  const [cart] = await db.query<{ id: string }>('INSERT INTO carts DEFAULT VALUES RETURNING id');
  return (cart as { id: string }).id;
}

/** The user's only cart, made when missing. */
export async function cartOfUser(db: Queryable, userId: string): Promise<string> {
  // DO UPDATE, as DO NOTHING would return no row for a cart that is there.
  const [cart] = await db.query<{ id: string }>(
    'INSERT INTO carts (user_id) VALUES ($1) ON CONFLICT (user_id) DO UPDATE SET user_id = excluded.user_id RETURNING id',
    [userId],
  );
  return (cart as { id: string }).id;
}

/** Moves what is in a visitor's cart into a user's and removes the former. Runs in a transaction of the caller's. */
export async function mergeCart(tx: Queryable, visitorCart: string, userCart: string): Promise<void> {
  // Held until the end, so that an addition in flight either counts or fails; see `cart_items_cart`.
  const found = await tx.query('SELECT 1 FROM carts WHERE id = $1 AND user_id IS NULL FOR UPDATE', [visitorCart]);
  if (found.length === 0) return;
  await tx.query(
    `INSERT INTO cart_items (cart_id, product_id, quantity)
     SELECT $2, product_id, quantity FROM cart_items WHERE cart_id = $1 ORDER BY product_id
     ON CONFLICT (cart_id, product_id) DO UPDATE
       SET quantity = least(${MAX_QUANTITY}, cart_items.quantity + excluded.quantity)`,
    [visitorCart, userCart],
  );
  await tx.query('DELETE FROM carts WHERE id = $1', [visitorCart]);
}

/**
 * Adds in one statement, so that concurrent additions all count.
 *
 * @returns false when the line would exceed {@link MAX_QUANTITY}; then nothing is changed
 */
export async function addItem(db: Queryable, cartId: string, productId: number, quantity: number): Promise<boolean> {
  const rows = await db.query(
    `INSERT INTO cart_items (cart_id, product_id, quantity) VALUES ($1, $2, $3)
     ON CONFLICT (cart_id, product_id) DO UPDATE SET quantity = cart_items.quantity + excluded.quantity
       WHERE cart_items.quantity + excluded.quantity <= ${MAX_QUANTITY}
     RETURNING quantity`,
    [cartId, productId, quantity],
  );
  return rows.length > 0;
}

export async function removeItem(db: Queryable, cartId: string, productId: number): Promise<void> {
  await db.query('DELETE FROM cart_items WHERE cart_id = $1 AND product_id = $2', [cartId, productId]);
}

export async function listItems(db: Queryable, cartId: string): Promise<CartItem[]> {
  return db.query<CartItem>(
    `SELECT p.id AS "productId", p.name, i.quantity, p.price_cents AS "priceCents"
     FROM cart_items i JOIN products p ON p.id = i.product_id WHERE i.cart_id = $1 ORDER BY p.id`,
    [cartId],
  );
}

export async function countPieces(db: Queryable, cartId: string): Promise<number> {
  const [row] = await db.query<{ pieces: number }>(
    'SELECT coalesce(sum(quantity), 0)::int AS pieces FROM cart_items WHERE cart_id = $1',
    [cartId],
  );
  return row?.pieces ?? 0;
}

/** Removes visitors' carts that are older than any session that could still lead to them. */
export async function removeAbandonedCarts(db: Queryable, olderThanSeconds: number): Promise<void> {
  await db.query('DELETE FROM carts WHERE user_id IS NULL AND created_at < now() - make_interval(secs => $1)', [
    olderThanSeconds,
  ]);
}
