import { Type } from '@sinclair/typebox';
import type { FastifyRequest } from 'fastify';
import { requireUser } from '../actions/accounts';
import { MAX_KEY_LENGTH, placeOrder } from '../actions/orders';
import { findOrder, listOrders } from '../data/repositories/orders';
import { ShopError } from '../errors';
import type { App } from '../http/fastify';
import type { Shop } from '../shop';
import type { Order } from '../types';

export const IdempotencyKey = Type.String({ minLength: 1, maxLength: MAX_KEY_LENGTH });

const OrderHeaders = Type.Object({ 'idempotency-key': IdempotencyKey });

export const OrderParams = Type.Object({ id: Type.String({ maxLength: 60 }) });

/** Orders that a list shows, newest first. */
export const SHOWN_ORDERS = 50;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function orderRoutes(app: App, shop: Shop): void {
  app.post('/api/orders', { schema: { headers: OrderHeaders } }, async (request, reply) => {
    const user = requireUser(request);
    const { replayed, ...order } = await placeOrder(shop.database, user.id, request.headers['idempotency-key']);
    if (replayed) reply.header('idempotency-replayed', 'true');
    else shop.onOrder();
    return reply.code(201).send(order);
  });

  app.get('/api/orders', async (request) => ({
    items: await listOrders(shop.reader(request), requireUser(request).id, SHOWN_ORDERS),
  }));

  app.get('/api/orders/:id', { schema: { params: OrderParams } }, async (request) =>
    ownOrder(shop, request, request.params.id),
  );
}

/** @throws ShopError 401; 404, also for an order of somebody else's */
export async function ownOrder(shop: Shop, request: FastifyRequest, id: string): Promise<Order> {
  const user = requireUser(request);
  const order = UUID.test(id) ? await findOrder(shop.reader(request), user.id, id) : undefined;
  if (!order) throw new ShopError(404, 'order_not_found', 'There is no such order.');
  return order;
}
