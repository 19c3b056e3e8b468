import { randomUUID } from 'node:crypto';
import type { ErrorRequestHandler, RequestHandler } from 'express';
import { ShopError, Unavailable } from '../errors';
import { errorPage } from '../pages';
import type { Shop } from '../shop';
import { anonymousContext, sendPage } from './page-context';

/** Errors of Express and its parsers, by status. */
const REQUEST_ERRORS: Readonly<Record<number, { readonly code: string; readonly message: string }>> = {
  400: { code: 'invalid_request', message: 'The request could not be read.' },
  413: { code: 'body_too_large', message: 'The request body is too large.' },
  415: { code: 'unsupported_media_type', message: 'The encoding of the request body is not supported.' },
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

/** Express decodes only the parts of a path that match a parameter. */
export const notFound: RequestHandler = (request) => {
  try {
    decodeURIComponent(request.path);
  } catch {
    throw new ShopError(400, 'invalid_request', 'The URL is malformed.');
  }
  throw new ShopError(404, 'not_found', 'There is nothing here.');
};

/** Answers errors with JSON below `/api` and a page elsewhere, without a stack trace. An unexpected error is logged. */
export function handleErrors(shop: Shop): ErrorRequestHandler {
  // Express recognizes error handlers by their four parameters.
  return (thrown, request, response, next) => {
    const reference = randomUUID();
    const error = toShopError(thrown, reference);
    if (error.statusCode >= 500) shop.log.error({ err: thrown, reference }, 'request failed');
    // Express then closes the connection, which tells the client that the response is incomplete.
    if (response.headersSent) return next(thrown);
    if (error.retryAfter !== undefined) response.set('Retry-After', String(error.retryAfter));
    response.status(error.statusCode).set('Cache-Control', 'no-store');
    if (request.originalUrl.startsWith('/api/')) {
      response.json({ error: { code: error.code, message: error.message } });
      return;
    }
    const title = TITLES[error.statusCode] ?? 'Sorry';
    const page = { status: error.statusCode, title, message: error.message };
    sendPage(response, errorPage(anonymousContext(shop), page));
  };
}

function toShopError(thrown: unknown, reference: string): ShopError {
  if (thrown instanceof ShopError) return thrown;
  // The convention of Express. Errors of the parsers, the router and the session client follow it.
  const { status, type } = (thrown ?? {}) as { status?: number; type?: string };
  if (status === 503) return new Unavailable(undefined, { cause: thrown });
  if (type === 'entity.parse.failed') return new ShopError(400, 'invalid_request', 'body must be valid JSON');
  const known = REQUEST_ERRORS[status ?? 500];
  if (known) return new ShopError(status as number, known.code, known.message);
  return new ShopError(500, 'internal', `Something went wrong on our side (reference ${reference}).`);
}
