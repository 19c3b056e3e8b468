import { MAX_QUANTITY } from '../../limits';
import type { CartItem } from '../../types';
import type { Queryable } from '../db';

/** Creates a cart for a visitor who is not logged in. */
export async function createCart(db: Queryable): Promise<string> {
  const [cart] = await db.query<{ id: string }>('INSERT INTO carts DEFAULT VALUES RETURNING id');
  return (cart as { id: string }).id;
}

/** Returns the user's only cart; creates it if missing. */
export async function cartOfUser(db: Queryable, userId: string): Promise<string> {
  // DO UPDATE, because DO NOTHING returns no row for an existing cart.
  const [cart] = await db.query<{ id: string }>(
    'INSERT INTO carts (user_id) VALUES ($1) ON CONFLICT (user_id) DO UPDATE SET user_id = excluded.user_id RETURNING id',
    [userId],
  );
  return (cart as { id: string }).id;
}

/** Moves the items of an anonymous cart to a user's cart, and deletes the former. Requires a transaction. */
export async function mergeCart(tx: Queryable, visitorCart: string, userCart: string): Promise<void> {
  // Locked until the commit, so that a concurrent addition is either merged or fails; see `cart_items_cart`.
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
 * Adds to a line in one statement, so that no concurrent addition is lost.
 *
 * @returns false, without a change, if the line would exceed {@link MAX_QUANTITY}
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

/** Returns the sum of all quantities in the cart. */
export async function countPieces(db: Queryable, cartId: string): Promise<number> {
  const [row] = await db.query<{ pieces: number }>(
    'SELECT coalesce(sum(quantity), 0)::int AS pieces FROM cart_items WHERE cart_id = $1',
    [cartId],
  );
  return row?.pieces ?? 0;
}

/** Deletes anonymous carts that are older than any session that could refer to them. */
export async function removeAbandonedCarts(db: Queryable, olderThanSeconds: number): Promise<void> {
  await db.query('DELETE FROM carts WHERE user_id IS NULL AND created_at < now() - make_interval(secs => $1)', [
    olderThanSeconds,
  ]);
}
