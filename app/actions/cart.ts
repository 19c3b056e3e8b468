import type { Request } from 'express';
import { type Database, type Queryable, violates } from '../data/db';
import { addItem, cartOfUser, createCart, listItems, removeItem } from '../data/repositories/carts';
import { ShopError } from '../errors';
import { MAX_QUANTITY } from '../limits';
import { saveSession } from '../sessions';
import type { Cart } from '../types';

/**
 * Adds to the visitor's cart. The first product starts a session. Resolves once cart and session are saved.
 *
 * @throws ShopError 404 for an unknown product, 409 if the quantity would exceed {@link MAX_QUANTITY}
 */
export async function addToCart(
  request: Request,
  database: Database,
  item: { readonly productId: number; readonly quantity: number },
): Promise<void> {
  try {
    await add(request, database, item);
  } catch (error) {
    // An interrupted login has merged the cart into the user's, or cleanup has deleted it.
    if (!violates(error, 'cart_items_cart')) throw error;
    request.session.cartId = undefined;
    await add(request, database, item);
  }
}

export async function removeFromCart(request: Request, database: Database, productId: number): Promise<void> {
  const { cartId } = request.visitor;
  if (cartId !== undefined) await removeItem(database, cartId, productId);
}

export async function cartOf(request: Request, database: Queryable): Promise<Cart> {
  const { cartId } = request.visitor;
  const items = cartId === undefined ? [] : await listItems(database, cartId);
  return { items, totalCents: items.reduce((sum, item) => sum + item.priceCents * item.quantity, 0) };
}

async function add(
  request: Request,
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

async function startCart(request: Request, database: Database): Promise<string> {
  const { userId } = request.session;
  const cartId = userId === undefined ? await createCart(database) : await cartOfUser(database, userId);
  request.session.cartId = cartId;
  await saveSession(request);
  return cartId;
}
