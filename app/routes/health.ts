import type { Express } from 'express';
import type { Shop } from '../shop';

/** Health checks and the server's identity. They use no dependency. */
export function healthRoutes(app: Express, shop: Shop): void {
  app.get('/healthz', (_request, response) => {
    response.set('Cache-Control', 'no-store').json({ status: 'alive' });
  });

  app.get('/readyz', (_request, response) => {
    const { state } = shop.lifecycle;
    response
      .status(state === 'ready' ? 200 : 503)
      .set('Cache-Control', 'no-store')
      .json({ status: state });
  });

  app.get('/whoami', (_request, response) => {
    response.set('Cache-Control', 'no-store').json(shop.served);
  });
}
