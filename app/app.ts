import express, { type Express, type RequestHandler } from 'express';
import { LoginLimit } from './accounts/login-limit';
import { Unavailable } from './errors';
import { exactRouter } from './http/router';
import { rejectCrossSiteWrite, securityHeaders } from './http/security';
import { accountRoutes } from './routes/accounts';
import { cartRoutes } from './routes/cart';
import { catalogRoutes } from './routes/catalogue';
import { catalogPages } from './routes/catalogue-pages';
import { handleErrors, notFound } from './routes/error-handler';
import { healthRoutes } from './routes/health';
import { orderRoutes } from './routes/orders';
import { visitorPages } from './routes/visitor-pages';
import type { AppDeps, Shop } from './shop';

export function createApp(deps: AppDeps): Express {
  const shop: Shop = {
    ...deps,
    // In the session store: a login needs that one in any case, and a second store would only add a second point of failure.
    loginLimit: new LoginLimit(deps.served.sessionStore === 'redis' && deps.redis ? deps.redis : deps.database),
    reader: (request) => deps.readYourWrites.reader(request),
  };
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('case sensitive routing');
  app.enable('strict routing');
  // Exact, because only the proxies can connect: the security group of a server admits only the load balancer.
  app.set('trust proxy', deps.trustProxy);

  // Behind an edge that accepts only HTTPS, the load balancer reports the protocol between them. Cookies need the visitor's.
  if (shop.viewerProtocol === 'https') Object.defineProperty(app.request, 'protocol', { value: 'https' });
  app.use(forEveryRequest(shop));

  // Two routers for all routes: entering a router takes as long as matching many of its routes.
  const api = exactRouter();
  const pages = exactRouter();
  catalogRoutes(api, shop);
  catalogPages(pages, shop);
  // The responses of all other routes belong to one visitor.
  for (const router of [api, pages]) router.use(forbidCaching, deps.readYourWrites.remember);
  accountRoutes(api, shop);
  cartRoutes(api, shop);
  orderRoutes(api, shop);
  visitorPages(pages, shop);

  app.use('/api', api);
  app.use('/assets', shop.assets.serve());
  healthRoutes(app, shop);
  app.use(pages);
  app.use(notFound);
  app.use(handleErrors(shop));
  return app;
}

/** One middleware instead of three, because each takes as long as its work. */
function forEveryRequest({ assets, lifecycle }: Shop): RequestHandler {
  const setSecurityHeaders = securityHeaders(assets);
  const servedWhileStarting = /^\/(healthz|readyz|whoami|assets\/)/;
  return (request, response, next) => {
    setSecurityHeaders(request, response);
    if (lifecycle.state === 'starting' && !servedWhileStarting.test(request.url)) {
      throw new Unavailable('The shop is starting. Please try again.');
    }
    rejectCrossSiteWrite(request);
    next();
  };
}

const forbidCaching: RequestHandler = (_request, response, next) => {
  response.setHeader('Cache-Control', 'no-store');
  next();
};
