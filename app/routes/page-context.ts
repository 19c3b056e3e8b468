import type { Request, Response } from 'express';
import type { Cached } from '../data/catalogue-cache';
import { countPieces } from '../data/repositories/carts';
import { imageOf } from '../data/seed';
import type { Visitor } from '../sessions';
import type { Shop } from '../shop';
import type { PageContext } from '../types';
import { SHARED } from './catalogue';

/** Context of a visitor's own page. */
export async function ownContext(
  shop: Shop,
  request: Request,
  { userId, email, cartId }: Visitor = request.visitor,
): Promise<PageContext> {
  return {
    ...anonymousContext(shop),
    userEmail: userId === undefined ? undefined : email,
    cartCount: cartId === undefined ? 0 : await countPieces(shop.reader(request), cartId),
  };
}

/** Context of a page that shows nothing of a visitor. */
export function anonymousContext(shop: Shop): PageContext {
  return { served: shop.served, asset: shop.assets.of, imageOf };
}

export function sendPage(response: Response, html: string): void {
  response.type('html').send(html);
}

/** Sends a page of the catalog. The edge caches it for visitors without a cookie. */
export async function sendCatalogPage(
  shop: Shop,
  request: Request,
  response: Response,
  { cache, freshUntil }: Pick<Cached<unknown>, 'cache' | 'freshUntil'>,
  render: (context: PageContext) => string,
): Promise<void> {
  const context = await contextOrAnonymous(shop, request);
  const html = render({ ...context, served: { ...shop.served, cache } });
  response.set('Vary', 'Cookie').set('Cache-Control', request.headers.cookie === undefined ? SHARED : 'no-store');
  response.type('html');
  shop.fastPath.send(request, response, Buffer.from(html), cache === 'hit' ? freshUntil : undefined);
}

/** Without session store or database, the page is anonymous. */
async function contextOrAnonymous(shop: Shop, request: Request): Promise<PageContext> {
  try {
    return await ownContext(shop, request, await shop.sessions.read(request));
  } catch (error) {
    shop.log.warn({ err: error }, 'page rendered without session or cart');
    return anonymousContext(shop);
  }
}
