import cookie from '@fastify/cookie';
import type { App } from '../http/fastify';
import type { Shop } from '../shop';

/** Adds routes that have `request.session`. Their answers are one visitor's own, and no cache may keep them. */
export function withSession(app: App, shop: Shop, routes: (scope: App) => void): void {
  app.register(async (scope: App) => {
    scope.register(cookie);
    shop.sessions.register(scope);
    scope.addHook('onRequest', async (_request, reply) => {
      reply.header('cache-control', 'no-store');
    });
    shop.readYourWrites.remember(scope, shop.replicas);
    routes(scope);
  });
}
