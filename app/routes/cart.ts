import type { Router } from 'express';
import { addToCart, cartOf, removeFromCart } from '../actions/cart';
import { jsonBodies } from '../http/bodies';
import { exactRouter } from '../http/router';
import { validate } from '../http/validate';
import { openSession, readVisitor } from '../sessions';
import type { Shop } from '../shop';
import { ItemParams, NewItem } from './schemas';

export function cartRoutes(shop: Shop): Router {
  const router = exactRouter();
  const visitor = readVisitor(shop.sessions);

  router.get('/api/cart', visitor, async (request, response) => {
    response.json(await cartOf(request, shop.reader(request)));
  });

  const newItem = validate({ body: NewItem });
  router.post('/api/cart/items', ...jsonBodies, newItem, ...openSession(shop.sessions), async (request, response) => {
    await addToCart(request, shop.database, newItem.of(response).body);
    response.json(await cartOf(request, shop.reader(request)));
  });

  const item = validate({ params: ItemParams });
  router.delete('/api/cart/items/:productId', item, visitor, async (request, response) => {
    await removeFromCart(request, shop.database, item.of(response).params.productId);
    response.json(await cartOf(request, shop.reader(request)));
  });

  return router;
}
