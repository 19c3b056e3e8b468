import type { Request, Response, Router } from 'express';
import type { Static } from 'typebox';
import { EDGE_STALE } from '../../lib/constants';
import type { Cached } from '../data/catalogue-cache';
import { ShopError } from '../errors';
import { validate } from '../http/validate';
import type { Shop } from '../shop';
import type { Product, ProductList } from '../types';
import { CatalogQuery, ProductParams } from './schemas';

/**
 * `Cache-Control` of responses for all visitors. The edge caches them about as long as this process does. After that, it sends them
 * while it revalidates them in the background, and while this server is down or overloaded.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html#stale-content
 */
export const SHARED = `public, max-age=0, s-maxage=2, stale-while-revalidate=10, stale-if-error=${EDGE_STALE}`;

/** The catalog as JSON. Without session middleware, which would double the cost of a response. */
export function catalogRoutes(api: Router, shop: Shop): void {
  const list = validate({ query: CatalogQuery });
  api.get('/products', list, async (request, response) => {
    send(shop, request, response, await searchCatalog(shop, list.of(response).query));
  });

  const product = validate({ params: ProductParams });
  api.get('/products/:id', product, async (request, response) => {
    send(shop, request, response, await productOf(shop, product.of(response).params.id));
  });
}

/** @throws ShopError 400 for an unknown category */
export async function searchCatalog(
  shop: Shop,
  { category, q, page }: Static<typeof CatalogQuery>,
): Promise<Cached<ProductList>> {
  if (category) {
    const { value: categories } = await shop.catalogue.categories();
    if (!categories.includes(category)) {
      throw new ShopError(400, 'invalid_category', `category must be one of: ${categories.join(', ')}`);
    }
  }
  // Equivalent searches share a cache entry.
  const text = q?.trim().toLowerCase();
  return shop.catalogue.list({ category: category || undefined, text: text || undefined }, page);
}

/** @throws ShopError 404 */
export async function productOf(shop: Shop, id: string): Promise<Cached<Product>> {
  // Ids are PostgreSQL integers.
  const found = /^[1-9]\d{0,8}$/.test(id) ? await shop.catalogue.product(Number(id)) : undefined;
  if (found?.value === undefined) throw new ShopError(404, 'product_not_found', 'There is no such product.');
  return { ...found, value: found.value };
}

function send(shop: Shop, request: Request, response: Response, { json, cache, freshUntil }: Cached<unknown>): void {
  response.set({ 'Cache-Control': SHARED, 'X-Cache': cache, 'Content-Type': 'application/json; charset=utf-8' });
  shop.fastPath.send(request, response, json, cache === 'hit' ? freshUntil : undefined);
}
