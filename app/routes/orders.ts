import type { Request, Router } from 'express';
import { requireUser } from '../actions/accounts';
import { placeOrder } from '../actions/orders';
import { findOrder, listOrders } from '../data/repositories/orders';
import { ShopError } from '../errors';
import { validate } from '../http/validate';
import { readVisitor } from '../sessions';
import type { Shop } from '../shop';
import type { Order } from '../types';
import { OrderHeaders, OrderParams } from './schemas';

/** Orders in a list, newest first. */
export const SHOWN_ORDERS = 50;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function orderRoutes(api: Router, shop: Shop): void {
  const visitor = readVisitor(shop.sessions);

  const newOrder = validate({ headers: OrderHeaders });
  api.post('/orders', newOrder, visitor, async (request, response) => {
    const key = newOrder.of(response).headers['idempotency-key'];
    const { replayed, ...order } = await placeOrder(shop.database, requireUser(request).id, key);
    if (replayed) response.set('Idempotency-Replayed', 'true');
    else shop.onOrder();
    response.status(201).json(order);
  });

  api.get('/orders', visitor, async (request, response) => {
    response.json({ items: await listOrders(shop.reader(request), requireUser(request).id, SHOWN_ORDERS) });
  });

  const order = validate({ params: OrderParams });
  api.get('/orders/:id', order, visitor, async (request, response) => {
    response.json(await ownOrder(shop, request, order.of(response).params.id));
  });
}

/** @throws ShopError 401; 404, also for another user's order */
export async function ownOrder(shop: Shop, request: Request, id: string): Promise<Order> {
  const user = requireUser(request);
  const order = UUID.test(id) ? await findOrder(shop.reader(request), user.id, id) : undefined;
  if (!order) throw new ShopError(404, 'order_not_found', 'There is no such order.');
  return order;
}
