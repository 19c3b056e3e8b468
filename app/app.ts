import express, { type Express, type RequestHandler } from 'express';
import { LoginLimit } from './accounts/login-limit';
import { Unavailable } from './errors';
import { requestLog } from './http/request-log';
import { rejectCrossSiteWrites, securityHeaders } from './http/security';
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

  app.use(requestLog(deps.log));
  if (shop.viewerProtocol === 'https') app.use(assumeHttps);
  app.use(securityHeaders(shop.assets));
  app.use(rejectWhileStarting(shop));
  app.use(rejectCrossSiteWrites);

  app.use('/assets', shop.assets.serve());
  app.use(healthRoutes(shop));
  app.use(catalogRoutes(shop));
  app.use(catalogPages(shop));
  // From here on, responses belong to one visitor.
  app.use(forbidCaching, deps.readYourWrites.remember);
  app.use(accountRoutes(shop));
  app.use(cartRoutes(shop));
  app.use(orderRoutes(shop));
  app.use(visitorPages(shop));

  app.use(notFound);
  app.use(handleErrors(shop));
  return app;
}

/** Behind an edge that accepts only HTTPS, the load balancer reports the protocol between them. Cookies need the visitor's. */
const assumeHttps: RequestHandler = (request, _response, next) => {
  request.headers['x-forwarded-proto'] = 'https';
  next();
};

function rejectWhileStarting({ lifecycle }: Shop): RequestHandler {
  const alwaysServed = /^\/(healthz|readyz|whoami|assets\/)/;
  return (request, _response, next) => {
    if (lifecycle.state === 'starting' && !alwaysServed.test(request.url)) {
      throw new Unavailable('The shop is starting. Please try again.');
    }
    next();
  };
}

const forbidCaching: RequestHandler = (_request, response, next) => {
  response.setHeader('Cache-Control', 'no-store');
  next();
};
