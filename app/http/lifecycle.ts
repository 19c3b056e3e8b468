import type { Server, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface DrainOptions {
  /** Milliseconds between the failing readiness check and the closing of the listener: the balancer needs them to notice. */
  readonly grace: number;
  /** Milliseconds that requests in flight may take after that. Their connections are then cut. */
  readonly limit: number;
}

/**
 * States of a process: it serves while `ready` and `draining`, and its readiness check succeeds only while `ready`, so that the
 * load balancer stops sending requests before the listener closes.
 */
export class Lifecycle {
  state: 'starting' | 'ready' | 'draining' = 'starting';
  readonly #open = new Set<ServerResponse>();

  constructor(private readonly server: Server) {
    server.prependListener('request', (_request, response) => {
      if (this.state === 'draining') response.shouldKeepAlive = false;
      this.#open.add(response);
      response.once('close', () => this.#open.delete(response));
    });
  }

  /** Answers the requests in flight and those that still arrive, each with `Connection: close`, then closes the server. */
  async drain({ grace, limit }: DrainOptions): Promise<void> {
    this.state = 'draining';
    // A keep-alive connection would stay open, idle, and delay the end.
    for (const response of this.#open) response.shouldKeepAlive = false;
    await sleep(grace);
    const cut = setTimeout(() => this.server.closeAllConnections(), limit);
    // Also closes the idle connections.
    await new Promise((resolve) => this.server.close(resolve));
    clearTimeout(cut);
  }
}
