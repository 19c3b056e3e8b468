import type { CartItem, Order } from '../../types';
import type { Queryable } from '../db';

/** Includes the lines and the receipt, so that a read takes one query. */
const SELECT_ORDERS = `
  SELECT o.id, o.status, o.total_cents AS "totalCents", o.created_at AS "createdAt",
         (SELECT json_agg(json_build_object('productId', i.product_id, 'name', i.name, 'quantity', i.quantity,
                                            'priceCents', i.price_cents) ORDER BY i.product_id)
          FROM order_items i WHERE i.order_id = o.id) AS items,
         'R-' || lpad(r.number::text, 6, '0') AS "receiptNumber"
  FROM orders o LEFT JOIN receipts r ON r.order_id = o.id`;

type OrderRow = Omit<Order, 'receiptNumber'> & { readonly receiptNumber: string | null };

/** Lists the user's orders, newest first. */
export async function listOrders(db: Queryable, userId: string, limit: number): Promise<Order[]> {
  const rows = await db.query<OrderRow>(
    `${SELECT_ORDERS} WHERE o.user_id = $1 ORDER BY o.created_at DESC, o.id LIMIT $2`,
    [userId, limit],
  );
  return rows.map(toOrder);
}

/** Returns undefined for an order of another user. */
export async function findOrder(db: Queryable, userId: string, id: string): Promise<Order | undefined> {
  const [row] = await db.query<OrderRow>(`${SELECT_ORDERS} WHERE o.user_id = $1 AND o.id = $2`, [userId, id]);
  return row && toOrder(row);
}

export async function findOrderByKey(db: Queryable, userId: string, key: string): Promise<Order | undefined> {
  const [row] = await db.query<OrderRow>(`${SELECT_ORDERS} WHERE o.user_id = $1 AND o.idempotency_key = $2`, [
    userId,
    key,
  ]);
  return row && toOrder(row);
}

/** A line of the cart at checkout, with its product locked until the transaction ends. */
export interface Line extends CartItem {
  readonly stock: number;
}

/**
 * Locks the user's cart, so that checkouts of one user run one at a time.
 *
 * @returns the id of the cart; undefined if the user has none
 */
export async function lockCart(tx: Queryable, userId: string): Promise<string | undefined> {
  const [cart] = await tx.query<{ id: string }>('SELECT id FROM carts WHERE user_id = $1 FOR UPDATE', [userId]);
  return cart?.id;
}

/**
 * Empties the cart and locks its products in the order of their ids, so that two checkouts that share products do not
 * deadlock.
 */
export async function takeLines(tx: Queryable, cartId: string): Promise<Line[]> {
  const cartLines = await tx.query<{ productId: number; quantity: number }>(
    'DELETE FROM cart_items WHERE cart_id = $1 RETURNING product_id AS "productId", quantity',
    [cartId],
  );
  const quantities = new Map(cartLines.map(({ productId, quantity }) => [productId, quantity]));
  const products = await tx.query<Omit<Line, 'quantity'>>(
    `SELECT id AS "productId", name, price_cents AS "priceCents", stock FROM products
     WHERE id = ANY($1) ORDER BY id FOR UPDATE`,
    [[...quantities.keys()]],
  );
  return products.map((product) => ({ ...product, quantity: quantities.get(product.productId) as number }));
}

/** Inserts the order, its lines and the receipt job, and updates the stock. The caller has checked the stock. */
export async function insertOrder(
  tx: Queryable,
  userId: string,
  key: string,
  lines: readonly Line[],
  totalCents: number,
): Promise<string> {
  const [order] = await tx.query<{ id: string }>(
    `WITH line AS (
       SELECT * FROM json_to_recordset($4) AS l ("productId" int, name text, "priceCents" int, quantity int)
     ), placed AS (
       INSERT INTO orders (user_id, idempotency_key, total_cents) VALUES ($1, $2, $3) RETURNING id
     ), listed AS (
       INSERT INTO order_items (order_id, product_id, name, price_cents, quantity)
       SELECT placed.id, line."productId", line.name, line."priceCents", line.quantity FROM placed, line
     ), sold AS (
       UPDATE products SET stock = stock - line.quantity FROM line WHERE products.id = line."productId"
     ), queued AS (
       INSERT INTO jobs (kind, order_id) SELECT 'receipt', id FROM placed
     )
     SELECT id FROM placed`,
    [userId, key, totalCents, JSON.stringify(lines)],
  );
  return (order as { id: string }).id;
}

function toOrder({ receiptNumber, ...order }: OrderRow): Order {
  return receiptNumber === null ? order : { ...order, receiptNumber };
}
