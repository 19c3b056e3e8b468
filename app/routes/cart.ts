import type { Router } from 'express';
import { addToCart, cartOf, removeFromCart } from '../actions/cart';
import { jsonBodies } from '../http/bodies';
import { validate } from '../http/validate';
import { openSession, readVisitor } from '../sessions';
import type { Shop } from '../shop';
import { ItemParams, NewItem } from './schemas';

export function cartRoutes(api: Router, shop: Shop): void {
  const visitor = readVisitor(shop.sessions);

  api.get('/cart', visitor, async (request, response) => {
    response.json(await cartOf(request, shop.reader(request)));
  });

  const newItem = validate({ body: NewItem });
  api.post('/cart/items', ...jsonBodies, newItem, ...openSession(shop.sessions), async (request, response) => {
    await addToCart(request, shop.database, newItem.of(response).body);
    response.json(await cartOf(request, shop.reader(request)));
  });

  const item = validate({ params: ItemParams });
  api.delete('/cart/items/:productId', item, visitor, async (request, response) => {
    await removeFromCart(request, shop.database, item.of(response).params.productId);
    response.json(await cartOf(request, shop.reader(request)));
  });
}
