import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, { type FastifyBaseLogger, LogController, type RawServerDefault } from 'fastify';
import { APP_HEADERS_TIMEOUT, APP_KEEP_ALIVE } from '../lib/constants';
import { LoginLimit } from './accounts/login-limit';
import type { App } from './http/fastify';
import { watchLifecycle } from './http/lifecycle';
import { protect } from './http/security';
import { compileValidators } from './http/validation';
import { accountRoutes } from './routes/accounts';
import { cartRoutes } from './routes/cart';
import { catalogueRoutes } from './routes/catalogue';
import { cataloguePages } from './routes/catalogue-pages';
import { errorHandler } from './routes/error-handler';
import { healthRoutes } from './routes/health';
import { orderRoutes } from './routes/orders';
import { visitorPages } from './routes/visitor-pages';
import { withSession } from './routes/visitor-scope';
import type { AppDeps, Shop } from './shop';

/** Largest body of a request in bytes; an order is a key, and the longest form is a log-in. */
const BODY_LIMIT = 64 * 1024;

export function createApp(deps: AppDeps): App {
  const shop: Shop = {
    ...deps,
    // A log-in needs its session all the same: one more store could only fail once more.
    loginLimit: new LoginLimit(deps.served.sessionStore === 'redis' && deps.redis ? deps.redis : deps.database),
    reader: (request) => deps.readYourWrites.reader(request, deps.replicas),
  };
  const app: App = Fastify<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger>({
    loggerInstance: deps.log,
    genReqId: () => randomUUID(),
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: trustHops(deps.trustProxy),
    bodyLimit: BODY_LIMIT,
    keepAliveTimeout: APP_KEEP_ALIVE * 1000,
    http: { headersTimeout: APP_HEADERS_TIMEOUT * 1000 },
    // What still arrives on an open connection while the server closes is answered, and not refused.
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) => answerError(error, request, reply),
  }).withTypeProvider<TypeBoxTypeProvider>();

  const answerError = errorHandler(app, shop);
  app.setValidatorCompiler(compileValidators());
  logRequests(app);
  watchLifecycle(app, shop.lifecycle);
  if (shop.viewerProtocol === 'https') takeForHttps(app);
  protect(app, shop.assets);

  shop.assets.serve(app);
  healthRoutes(app, shop);
  catalogueRoutes(app, shop);
  cataloguePages(app, shop);
  withSession(app, shop, (scope) => {
    accountRoutes(scope, shop);
    cartRoutes(scope, shop);
    orderRoutes(scope, shop);
    visitorPages(scope, shop);
  });
  return app;
}

/**
 * Fastify refuses a bare number, because it cannot tell whether the first hop really is the proxy. Here nobody else can
 * connect: the security group of a server behind a balancer lets only the balancer in, and a TLS terminator is on loopback.
 */
function trustHops(proxies: number): false | ((address: string, hop: number) => boolean) {
  return proxies > 0 && ((_address, hop) => hop < proxies);
}

/**
 * An edge that speaks HTTPS with visitors may speak HTTP with the balancer behind it, which then says `http` here. Cookies
 * and headers are for visitors.
 */
function takeForHttps(app: App): void {
  app.addHook('onRequest', async (request) => {
    request.headers['x-forwarded-proto'] = 'https';
  });
}

/** One line a request. Health checks and static files are not news. */
function logRequests(app: App): void {
  const quiet = /^\/(healthz|readyz|assets\/)/;
  app.addHook('onResponse', async (request, reply) => {
    const level = quiet.test(request.url) ? 'debug' : 'info';
    const { method, ip } = request;
    const ms = Math.round(reply.elapsedTime * 10) / 10;
    request.log[level]({ method, path: request.url.split('?')[0], status: reply.statusCode, ms, ip }, 'request');
  });
}
