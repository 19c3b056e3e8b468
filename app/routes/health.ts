import type { App } from '../http/fastify';
import type { Shop } from '../shop';

/** What balancers and people ask a server about itself; none of it touches a dependency. */
export function healthRoutes(app: App, shop: Shop): void {
  app.get('/healthz', async (_request, reply) => {
    reply.header('cache-control', 'no-store');
    return { status: 'alive' };
  });

  app.get('/readyz', async (_request, reply) => {
    const { state } = shop.lifecycle;
    reply.code(state === 'ready' ? 200 : 503).header('cache-control', 'no-store');
    return { status: state };
  });

  app.get('/whoami', async (_request, reply) => {
    reply.header('cache-control', 'no-store');
    return shop.served;
  });
}
