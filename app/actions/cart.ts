import type { FastifyRequest } from 'fastify';
import { type Database, type Queryable, violates } from '../data/db';
import { addItem, cartOfUser, createCart, listItems, removeItem } from '../data/repositories/carts';
import { ShopError } from '../errors';
import { MAX_QUANTITY } from '../limits';
import { saveSession } from '../sessions';
import type { Cart } from '../types';

/**
 * Adds to the visitor's cart; the first product starts a session. Resolves once all of it is saved.
 *
 * @throws ShopError 404 for an unknown product, 409 when the line would exceed {@link MAX_QUANTITY}
 */
export async function addToCart(
  request: FastifyRequest,
  database: Database,
  item: { readonly productId: number; readonly quantity: number },
): Promise<void> {
  try {
    await add(request, database, item);
  } catch (error) {
    // The cart was merged into a user's by a log-in that did not come to its end, or swept up as abandoned.
    if (!violates(error, 'cart_items_cart')) throw error;
    request.session.cartId = undefined;
    await add(request, database, item);
  }
}

export async function removeFromCart(request: FastifyRequest, database: Database, productId: number): Promise<void> {
  const { cartId } = request.session;
  if (cartId !== undefined) await removeItem(database, cartId, productId);
}

export async function cartOf(request: FastifyRequest, database: Queryable): Promise<Cart> {
  const { cartId } = request.session;
  const items = cartId === undefined ? [] : await listItems(database, cartId);
  return { items, totalCents: items.reduce((sum, item) => sum + item.priceCents * item.quantity, 0) };
}

async function add(
  request: FastifyRequest,
  database: Database,
  { productId, quantity }: { readonly productId: number; readonly quantity: number },
): Promise<void> {
  const cartId = request.session.cartId ?? (await startCart(request, database));
  const added = await addItem(database, cartId, productId, quantity).catch((error) => {
    if (violates(error, 'cart_items_product'))
      throw new ShopError(404, 'product_not_found', 'There is no such product.');
    throw error;
  });
  if (!added) {
    throw new ShopError(409, 'cart_limit', `A cart holds at most ${MAX_QUANTITY} pieces of one product.`);
  }
}

async function startCart(request: FastifyRequest, database: Database): Promise<string> {
  const { userId } = request.session;
  const cartId = userId === undefined ? await createCart(database) : await cartOfUser(database, userId);
  request.session.cartId = cartId;
  await saveSession(request);
  return cartId;
}
