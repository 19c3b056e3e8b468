import type { Router } from 'express';
import { exactRouter } from '../http/router';
import type { Shop } from '../shop';

/** Health checks and the server's identity. They use no dependency. */
export function healthRoutes(shop: Shop): Router {
  const router = exactRouter();

  router.get('/healthz', (_request, response) => {
    response.set('Cache-Control', 'no-store').json({ status: 'alive' });
  });

  router.get('/readyz', (_request, response) => {
    const { state } = shop.lifecycle;
    response
      .status(state === 'ready' ? 200 : 503)
      .set('Cache-Control', 'no-store')
      .json({ status: state });
  });

  router.get('/whoami', (_request, response) => {
    response.set('Cache-Control', 'no-store').json(shop.served);
  });

  return router;
}
