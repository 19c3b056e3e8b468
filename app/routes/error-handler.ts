import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { ShopError } from '../errors';
import type { App } from '../http/fastify';
import { errorPage } from '../pages';
import type { Shop } from '../shop';
import { anonymousContext } from './page-context';

/** Codes for errors that Fastify itself finds. */
const CODES: Readonly<Record<number, string>> = {
  400: 'invalid_request',
  404: 'not_found',
  413: 'body_too_large',
  414: 'url_too_long',
  415: 'unsupported_media_type',
};

const TITLES: Readonly<Record<number, string>> = {
  400: 'That did not work',
  401: 'Please log in',
  403: 'Not allowed',
  404: 'Not found',
  409: 'That did not work',
  413: 'Too much at once',
  429: 'Too many attempts',
  503: 'One moment, please',
};

/**
 * Answers whatever is thrown: JSON below `/api`, a page elsewhere, and never a stack trace. What was not meant to be thrown
 * is logged, and answered with a reference to the log.
 */
export function errorHandler(app: App, shop: Shop) {
  const answer = (thrown: FastifyError | Error, request: FastifyRequest, reply: FastifyReply) => {
    const error = meant(thrown, request);
    if (error.statusCode >= 500) request.log.error({ err: thrown }, 'request failed');
    if (error.retryAfter !== undefined) reply.header('retry-after', error.retryAfter);
    reply.code(error.statusCode).header('cache-control', 'no-store');
    if (request.url.startsWith('/api/')) {
      return reply.send({ error: { code: error.code, message: error.message } });
    }
    const page = { status: error.statusCode, title: TITLES[error.statusCode] ?? 'Sorry', message: error.message };
    return reply.type('text/html; charset=utf-8').send(errorPage(anonymousContext(shop), page));
  };
  app.setErrorHandler<FastifyError | Error>(answer);
  app.setNotFoundHandler((request, reply) =>
    answer(new ShopError(404, 'not_found', 'There is nothing here.'), request, reply),
  );
  return answer;
}

function meant(thrown: FastifyError | Error, request: FastifyRequest): ShopError {
  if (thrown instanceof ShopError) return thrown;
  const status = 'statusCode' in thrown ? (thrown.statusCode ?? 500) : 500;
  const code = CODES[status];
  // Only Fastify's own errors are known to be fit for visitors.
  if (code !== undefined && isFastifyError(thrown)) return new ShopError(status, code, thrown.message);
  return new ShopError(500, 'internal', `Something went wrong on our side (reference ${request.id}).`);
}

function isFastifyError(error: Error & { code?: string }): boolean {
  return error.code?.startsWith('FST_') === true || error instanceof SyntaxError;
}
