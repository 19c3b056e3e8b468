import type { IncomingMessage } from 'node:http';
import type { Request, Response } from 'express';
import helmet from 'helmet';
import { ShopError } from '../errors';
import type { Assets } from './assets';

/** Returns a function that sets security headers. Helmet computes them once, because they are the same for every response. */
export function securityHeaders(assets: Assets): (request: Request, response: Response) => void {
  const source = assets.url.startsWith('/') ? ["'self'"] : ["'self'", new URL(assets.url).origin];
  const headers = headersOf(
    helmet({
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
      // With helmet's default, browsers send `Origin: null` with the shop's own forms.
      referrerPolicy: { policy: 'same-origin' },
      // Without a domain, phases 1 to 3 are plain HTTP. There, these headers break the shop or only cause browser warnings.
      strictTransportSecurity: false,
      crossOriginOpenerPolicy: false,
      originAgentCluster: false,
    }),
  );
  return (request, response) => {
    for (const [name, value] of headers) response.setHeader(name, value);
    if (request.secure) {
      response.setHeader('Strict-Transport-Security', 'max-age=31536000');
      response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
    }
  };
}

function headersOf(middleware: ReturnType<typeof helmet>): [string, string][] {
  const headers: [string, string][] = [];
  const response = { setHeader: (name: string, value: string) => headers.push([name, value]), removeHeader() {} };
  middleware({} as IncomingMessage, response as never, () => {});
  return headers;
}

/** @throws ShopError 403 for a write from a page of another site */
export function rejectCrossSiteWrite(request: Request): void {
  const reads = request.method === 'GET' || request.method === 'HEAD' || request.method === 'OPTIONS';
  if (!reads && isFromAnotherSite(request)) {
    throw new ShopError(403, 'cross_origin', 'This request came from another site.');
  }
}

/**
 * Browsers send `Sec-Fetch-Site`, but not over plain HTTP. There, `Origin` is compared with the requested host. Programs send
 * neither, and no visitor's cookie.
 *
 * @see https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site
 */
function isFromAnotherSite(request: Request): boolean {
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  const { origin } = request.headers;
  if (origin === undefined) return false;
  return !URL.canParse(origin) || new URL(origin).host !== request.host;
}
