import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Request } from 'express';
import type { Logger } from 'pino';
import { pinoHttp } from 'pino-http';
import proxyAddr from 'proxy-addr';

/** Health checks and static files. */
const DEBUG = /^\/(healthz|readyz|assets\/)/;

/** Middleware that sets `request.id` and `request.log`, and logs one line per request. */
export function requestLog(logger: Logger) {
  return pinoHttp<Request, ServerResponse>({
    logger,
    genReqId: () => randomUUID(),
    quietReqLogger: true,
    quietResLogger: true,
    // The line has the fields below instead.
    serializers: { req: () => undefined },
    customLogLevel: (request) => (DEBUG.test(request.originalUrl) ? 'debug' : 'info'),
    customSuccessMessage: () => 'request',
    customErrorMessage: () => 'request',
    customSuccessObject: (request, response, { responseTime }) => line(request, response, request.ip, responseTime),
    customErrorObject: (request, response, _error, { responseTime }) => line(request, response, request.ip, responseTime),
  });
}

/** Returns a function that logs a response of the fast path, with the same fields. */
export function fastPathLog(logger: Logger, trustProxy: number) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const address = proxyAddr(request, (_address, hop) => hop < trustProxy);
    logger.info(line(request, response, address, 0), 'request');
  };
}

function line(request: IncomingMessage, { statusCode }: ServerResponse, ip: string | undefined, ms: number) {
  // A router changes `url` to the path below its own.
  const { method, url, originalUrl = url } = request as IncomingMessage & { originalUrl?: string };
  return { method, path: originalUrl?.split('?')[0], status: statusCode, ms, ip };
}
