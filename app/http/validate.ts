import type { Request, RequestHandler, Response } from 'express';
import type { Static, TSchema } from 'typebox';
import { ShopError } from '../errors';
import * as json from './validators/json';
import * as text from './validators/text';

/** Schemas by part of the request. Each has an `$id`, under which `npm run validators` compiled it. */
export type RequestSchemas = Readonly<Partial<Record<'headers' | 'params' | 'query' | 'body', TSchema>>>;

/** The parts of a request, with coerced values and defaults. */
export type Valid<Schemas> = {
  readonly [Part in keyof Schemas]: Schemas[Part] extends TSchema ? Static<Schemas[Part]> : never;
};

export interface Validation<Schemas> extends RequestHandler {
  /** Returns what this middleware has validated. */
  of(response: Response): Valid<Schemas>;
}

const VALIDATORS: Readonly<Record<string, unknown>> = { ...json, ...text };

/** The name of a part in error messages. */
const NAMES = { headers: 'headers', params: 'params', query: 'querystring', body: 'body' };

/**
 * Middleware that validates parts of a request. It keeps the result apart from the request: in Express 5, `request.query` is a
 * getter, and coerced values would surprise other middleware.
 *
 * ```ts
 * const newItem = validate({ body: NewItem });
 * router.post('/items', newItem, (_request, response) => add(newItem.of(response).body));
 * ```
 *
 * @throws ShopError 400 with one line that names the part, the field and the rule
 */
export function validate<Schemas extends RequestSchemas>(schemas: Schemas): Validation<Schemas> {
  const parts = Object.entries(schemas) as [keyof RequestSchemas, TSchema][];
  const middleware: RequestHandler = (request, response, next) => {
    const valid = parts.map(([part, schema]) => [part, validated(schema, request, part)]);
    response.locals.valid = Object.fromEntries(valid);
    next();
  };
  return Object.assign(middleware, { of: (response: Response): Valid<Schemas> => response.locals.valid });
}

/** @throws ShopError as {@link validate} */
export function validated<Schema extends TSchema>(
  schema: Schema,
  request: Request,
  part: keyof RequestSchemas,
): Static<Schema> {
  const value: unknown = request[part];
  // Validators change their input.
  const copy = typeof value === 'object' && !Array.isArray(value) ? { ...value } : value;
  const validator = VALIDATORS[(schema as { $id?: string }).$id as string] as Validator;
  if (validator(copy)) return copy as Static<Schema>;
  const [error] = validator.errors as [{ instancePath: string; message: string }];
  throw new ShopError(400, 'invalid_request', `${NAMES[part]}${error.instancePath} ${error.message}`);
}

type Validator = ((value: unknown) => boolean) & { readonly errors: unknown };
