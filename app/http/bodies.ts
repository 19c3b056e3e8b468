import express, { type RequestHandler } from 'express';
import { ShopError } from '../errors';

/** Maximum size of a request body in bytes. The longest bodies are login forms. */
const LIMIT = 64 * 1024;

const rejectUnparsed: RequestHandler = (request, _response, next) => {
  const hasBody = request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length']) > 0;
  if (hasBody && request.body === undefined) {
    throw new ShopError(415, 'unsupported_media_type', `This content type is not supported: ${request.headers['content-type'] ?? 'none'}.`);
  }
  next();
};

/** Middleware that parses JSON bodies and rejects other content types. */
export const jsonBodies: RequestHandler[] = [
  express.json({ limit: LIMIT, inflate: false, reviver: rejectPrototypes }),
  rejectUnparsed,
];

/** Middleware that parses HTML forms, and JSON as well. */
export const formBodies: RequestHandler[] = [
  express.urlencoded({ limit: LIMIT, inflate: false, extended: false }),
  ...jsonBodies,
];

/**
 * Rejects the keys that change the prototype of an object which code copies them to.
 *
 * @see https://cheatsheetseries.owasp.org/cheatsheets/Prototype_Pollution_Prevention_Cheat_Sheet.html
 */
function rejectPrototypes(key: string, value: unknown): unknown {
  const isConstructor = key === 'constructor' && typeof value === 'object' && value !== null && 'prototype' in value;
  if (key === '__proto__' || isConstructor) throw new SyntaxError(`the key "${key}" is not allowed`);
  return value;
}
