import type { FastifyReply, FastifyRequest } from 'fastify';
import { countPieces } from '../data/repositories/carts';
import { imageOf } from '../data/seed';
import type { Visitor } from '../sessions';
import type { Shop } from '../shop';
import type { PageContext } from '../types';
import { SHARED } from './catalogue';

/** For pages that are one visitor's own. */
export async function ownContext(
  shop: Shop,
  request: FastifyRequest,
  { userId, email, cartId }: Visitor = request.session,
): Promise<PageContext> {
  return {
    ...anonymousContext(shop),
    userEmail: userId === undefined ? undefined : email,
    cartCount: cartId === undefined ? 0 : await countPieces(shop.reader(request), cartId),
  };
}

/** For pages of the catalogue: what the database cannot tell about the visitor just now is left out. */
export async function glanceContext(shop: Shop, request: FastifyRequest, cache: 'hit' | 'miss'): Promise<PageContext> {
  const served = { ...shop.served, cache };
  const visitor = await shop.sessions.glance(request);
  try {
    return { ...(await ownContext(shop, request, visitor)), served };
  } catch (error) {
    request.log.warn({ err: error }, 'the page is shown without its cart');
    return { ...anonymousContext(shop), served };
  }
}

export function sendPage(reply: FastifyReply, html: string): FastifyReply {
  return reply.type('text/html; charset=utf-8').send(html);
}

/** An edge may hold what a visitor without any cookie gets. */
export function sendCataloguePage(request: FastifyRequest, reply: FastifyReply, html: string): FastifyReply {
  const anonymous = request.headers.cookie === undefined;
  reply.header('vary', 'Cookie').header('cache-control', anonymous ? SHARED : 'no-store');
  return sendPage(reply, html);
}

/** For pages that show nothing of a visitor. */
export function anonymousContext(shop: Shop): PageContext {
  return { served: shop.served, asset: shop.assets.of, imageOf };
}
