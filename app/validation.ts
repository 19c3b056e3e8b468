import Ajv, { type Options } from 'ajv';
import type { FastifySchemaCompiler } from 'fastify';

/** Checking each schema against JSON Schema's own would take 100 ms of every start; here the compiler has checked them. */
const TRUSTED: Options = { meta: false, validateSchema: false, useDefaults: true };

/** Validator for text that stands for something else: environment, paths, query strings, forms. `"2"` is a number there. */
export function forText(options: Options = {}): Ajv {
  return new Ajv({ ...TRUSTED, coerceTypes: true, ...options });
}

/**
 * Compiles the schemas of routes. In a JSON body, unlike in text, `"2"` is no number.
 *
 * @param forms bodies are HTML forms, that is, text as well
 */
export function compileValidators(forms = false): FastifySchemaCompiler<object> {
  const exact = new Ajv(TRUSTED);
  const fromText = forText();
  return ({ schema, httpPart }) => (httpPart === 'body' && !forms ? exact : fromText).compile(schema);
}
