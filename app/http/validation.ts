import Ajv, { type Options, type ValidateFunction } from 'ajv';
import type { FastifySchemaCompiler } from 'fastify';

/** Checking each schema against JSON Schema's own would take 100 ms of every start; here the compiler has checked them. */
const TRUSTED: Options = { meta: false, validateSchema: false, useDefaults: true };

/** Validator for text that stands for something else: environment, paths, query strings, forms. `"2"` is a number there. */
export function forText(options: Options = {}): Ajv {
  return new Ajv({ ...TRUSTED, coerceTypes: true, ...options });
}

/**
 * Compiles the schemas of routes, each when it is first needed: a start should not wait for all of them. In a JSON body,
 * unlike in text, `"2"` is no number.
 *
 * @param forms bodies are HTML forms, that is, text as well
 */
export function compileValidators(forms = false): FastifySchemaCompiler<object> {
  return ({ schema, httpPart }) => {
    const isText = httpPart !== 'body' || forms;
    let compiled: ValidateFunction | undefined;
    const validate: Validator = (data) => {
      compiled ??= (isText ? forText() : new Ajv(TRUSTED)).compile(schema);
      const valid = compiled(data);
      // Where Fastify looks for them.
      validate.errors = compiled.errors;
      return valid;
    };
    return validate;
  };
}

type Validator = ((data: unknown) => boolean) & Pick<ValidateFunction, 'errors'>;
