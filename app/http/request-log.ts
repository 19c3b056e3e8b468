import type { ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import proxyAddr from 'proxy-addr';
import type { Exchange } from './observe';

export interface RequestLogOptions {
  /** Number of proxies whose `X-Forwarded-For` is trusted. */
  readonly trustProxy: number;
  /** Whether to log no line for a request with this response. */
  readonly isOmitted: (response: ServerResponse) => boolean;
}

/** Health checks and static files. */
const DEBUG = /^\/(healthz|readyz|assets\/)/;

/**
 * Returns an observer that logs one line per request. The level of health checks and static files is `debug`.
 *
 * Not pino-http: it creates two child loggers and a copy of each request, which took a sixth of the CPU time of a session read.
 */
export function requestLog(log: Logger, { trustProxy, isOmitted }: RequestLogOptions) {
  const isTrusted = (_address: string, hop: number) => hop < trustProxy;
  return ({ request, response, url, ms }: Exchange): void => {
    if (isOmitted(response)) return;
    const level = DEBUG.test(url) ? 'debug' : 'info';
    const query = url.indexOf('?');
    const path = query < 0 ? url : url.slice(0, query);
    const { method } = request;
    const ip = proxyAddr(request, isTrusted);
    log[level]({ method, path, status: response.statusCode, ms: Math.round(ms * 10) / 10, ip }, 'request');
  };
}
