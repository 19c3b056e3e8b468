import { Unavailable } from '../errors';
import type { App } from './fastify';

/** Where a process is in its life. It serves only while `ready` or `draining`; balancers send traffic only while `ready`. */
export interface Lifecycle {
  state: 'starting' | 'ready' | 'draining';
}

const ALWAYS_ANSWERED = /^\/(healthz|readyz|whoami|assets\/)/;

/** Holds requests off until the database is prepared, and asks clients to leave while the process drains. */
export function watchLifecycle(app: App, lifecycle: Lifecycle): void {
  app.addHook('onRequest', async (request) => {
    if (lifecycle.state === 'starting' && !ALWAYS_ANSWERED.test(request.url)) {
      throw new Unavailable('The shop is just opening. Please try again.');
    }
  });
  app.addHook('onSend', async (_request, reply) => {
    // Or the connection would stay open, idle, and hold up the end.
    if (lifecycle.state === 'draining') reply.header('connection', 'close');
  });
}
