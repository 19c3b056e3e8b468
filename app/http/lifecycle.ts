import type { RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface DrainOptions {
  /** Milliseconds between the failing readiness check and the closing of the listener: the load balancer needs them to notice. */
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
  /** The latest response of each connection. */
  readonly #responses = new Map<Socket, ServerResponse>();

  /** Returns a listener that passes all requests to `handle`. */
  track(handle: RequestListener): RequestListener {
    return (request, response) => {
      if (this.state === 'draining') response.shouldKeepAlive = false;
      const { socket } = request;
      if (!this.#responses.has(socket)) socket.once('close', () => this.#responses.delete(socket));
      this.#responses.set(socket, response);
      handle(request, response);
    };
  }

  /** Answers the requests in flight and those that still arrive, each with `Connection: close`, then closes the server. */
  async drain(server: Server, { grace, limit }: DrainOptions): Promise<void> {
    this.state = 'draining';
    // An idle keep-alive connection would delay the end.
    for (const response of this.#responses.values()) response.shouldKeepAlive = false;
    await sleep(grace);
    const cut = setTimeout(() => server.closeAllConnections(), limit);
    // Also closes the idle connections.
    await new Promise((resolve) => server.close(resolve));
    clearTimeout(cut);
  }
}
