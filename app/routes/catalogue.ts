import { type Static, Type } from '@sinclair/typebox';
import type { FastifyReply } from 'fastify';
import type { Cached } from '../data/catalogue-cache';
import { ShopError } from '../errors';
import type { App } from '../http/fastify';
import type { Shop } from '../shop';
import type { Product, ProductList } from '../types';

/** Bounded, as each combination is an entry of the cache. */
export const CatalogueQuery = Type.Object(
  {
    category: Type.Optional(Type.String({ maxLength: 60 })),
    q: Type.Optional(Type.String({ maxLength: 100 })),
    page: Type.Integer({ minimum: 1, maximum: 10_000, default: 1 }),
  },
  // A link may carry parameters for others, such as a campaign's.
  { additionalProperties: true },
);

export const ProductParams = Type.Object({ id: Type.String({ maxLength: 20 }) });

/** Everybody's answer: an edge may hold it, about as long as the process itself does. */
export const SHARED = 'public, max-age=0, s-maxage=2';

/** The catalogue for programs. No session layer here: it would double the cost of an answer. */
export function catalogueRoutes(app: App, shop: Shop): void {
  app.get('/api/products', { schema: { querystring: CatalogueQuery } }, async (request, reply) =>
    send(reply, await searchCatalogue(shop, request.query)),
  );

  app.get('/api/products/:id', { schema: { params: ProductParams } }, async (request, reply) =>
    send(reply, await productOf(shop, request.params.id)),
  );
}

/** @throws ShopError 400 for a category that the shop does not have */
export async function searchCatalogue(
  shop: Shop,
  { category, q, page }: Static<typeof CatalogueQuery>,
): Promise<Cached<ProductList>> {
  if (category) {
    const categories = await shop.catalogue.categories();
    if (!categories.includes(category)) {
      throw new ShopError(400, 'invalid_category', `category must be one of: ${categories.join(', ')}`);
    }
  }
  // Searches that mean the same share an entry.
  const text = q?.trim().toLowerCase();
  return shop.catalogue.list({ category: category || undefined, text: text || undefined }, page);
}

/** @throws ShopError 404 */
export async function productOf(shop: Shop, id: string): Promise<Cached<Product>> {
  // Ids are PostgreSQL integers; whatever is none names no product.
  const found = /^[1-9]\d{0,8}$/.test(id) ? await shop.catalogue.product(Number(id)) : undefined;
  if (found?.value === undefined) throw new ShopError(404, 'product_not_found', 'There is no such product.');
  return { ...found, value: found.value };
}

function send(reply: FastifyReply, { json, cache }: Cached<unknown>): FastifyReply {
  return reply
    .header('cache-control', SHARED)
    .header('x-cache', cache)
    .type('application/json; charset=utf-8')
    .send(json);
}
