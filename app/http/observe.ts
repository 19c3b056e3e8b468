import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

/** A request whose response has ended. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The whole URL: Express changes `request.url`. */
  readonly url: string;
  /** Duration in milliseconds. */
  readonly ms: number;
}

/** Returns a listener that calls the observers after each response, also after those that did not reach Express. */
export function observe(
  handle: RequestListener,
  observers: readonly ((exchange: Exchange) => void)[],
): RequestListener {
  if (observers.length === 0) return handle;
  return (request, response) => {
    const began = performance.now();
    const { url = '' } = request;
    response.once('close', () => {
      const exchange = { request, response, url, ms: performance.now() - began };
      for (const observer of observers) observer(exchange);
    });
    handle(request, response);
  };
}
