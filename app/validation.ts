import Ajv from 'ajv';
import type { FastifySchemaCompiler } from 'fastify';

/**
 * Compiles the schemas of routes. Paths and query strings are text, so `"2"` is a number there; in a JSON body it is not.
 * A field that the schema does not know is refused and not dropped: its sender meant something by it.
 *
 * @param forms bodies are HTML forms, that is, text as well
 */
export function compileValidators(forms = false): FastifySchemaCompiler<object> {
  const exact = new Ajv({ useDefaults: true });
  const fromText = new Ajv({ useDefaults: true, coerceTypes: true });
  return ({ schema, httpPart }) => (httpPart === 'body' && !forms ? exact : fromText).compile(schema);
}
