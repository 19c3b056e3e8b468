import { Type } from '@sinclair/typebox';
import { addToCart, cartOf, removeFromCart } from '../actions/cart';
import type { App } from '../http/fastify';
import { MAX_QUANTITY } from '../limits';
import type { Shop } from '../shop';

const ProductId = Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1 });

export const NewItem = Type.Object(
  { productId: ProductId, quantity: Type.Integer({ minimum: 1, maximum: MAX_QUANTITY }) },
  { additionalProperties: false },
);

export const ItemParams = Type.Object({ productId: ProductId });

export function cartRoutes(app: App, shop: Shop): void {
  app.get('/api/cart', async (request) => cartOf(request, shop.reader(request)));

  app.post('/api/cart/items', { schema: { body: NewItem } }, async (request) => {
    await addToCart(request, shop.database, request.body);
    return cartOf(request, shop.reader(request));
  });

  app.delete('/api/cart/items/:productId', { schema: { params: ItemParams } }, async (request) => {
    await removeFromCart(request, shop.database, request.params.productId);
    return cartOf(request, shop.reader(request));
  });
}
