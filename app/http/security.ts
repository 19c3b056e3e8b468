import helmet from '@fastify/helmet';
import type { FastifyRequest } from 'fastify';
import { ShopError } from '../errors';
import type { Assets } from './assets';
import type { App } from './fastify';

/** Security headers on every answer, and no write on behalf of another site. */
export function protect(app: App, assets: Assets): void {
  const source = assets.url.startsWith('/') ? ["'self'"] : ["'self'", new URL(assets.url).origin];
  app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        styleSrc: source,
        imgSrc: source,
        formAction: ["'self'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    // With helmet's default, browsers send `Origin: null` along with the shop's own forms.
    referrerPolicy: { policy: 'same-origin' },
    // Without a domain, phases 1 to 3 are plain HTTP. These would break it, or only be complained about by browsers.
    strictTransportSecurity: false,
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
  });

  app.addHook('onRequest', async (request, reply) => {
    if (request.protocol === 'https') {
      reply.header('strict-transport-security', 'max-age=31536000');
      reply.header('cross-origin-opener-policy', 'same-origin');
    }
    const reads = request.method === 'GET' || request.method === 'HEAD' || request.method === 'OPTIONS';
    if (!reads && isFromAnotherSite(request)) {
      throw new ShopError(403, 'cross_origin', 'This request came from another site.');
    }
  });
}

/**
 * Browsers say it themselves, but not over plain HTTP; there, `Origin` is compared with the host that was asked. Programs
 * send neither, and carry no visitor's cookie.
 *
 * @see https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site
 */
function isFromAnotherSite(request: FastifyRequest): boolean {
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  const { origin } = request.headers;
  if (origin === undefined) return false;
  return !URL.canParse(origin) || new URL(origin).host !== request.host;
}
