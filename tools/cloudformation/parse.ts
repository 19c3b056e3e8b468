import type { Template } from './template';
import { parseYaml } from './yaml';

/** Formats that {@link parseTemplate} accepts, for error messages. */
export const TEMPLATE_FORMATS = 'JSON or YAML';

/**
 * Parses a CloudFormation template in JSON or YAML.
 *
 * @throws Error with a one-line message that includes the position
 */
export function parseTemplate(text: string): Template {
  const template = parsed(text);
  const { Resources, Parameters = {} } = isMap(template) ? template : {};
  if (!isMap(Resources)) throw new Error('has no Resources');
  for (const id of Object.keys(Resources)) {
    // Only CloudFormation can expand Fn::ForEach and Fn::Transform.
    if (id.startsWith('Fn::')) {
      throw new Error(
        `Resources/${id}: macros are not supported; use the output of "aws cloudformation get-template --template-stage Processed"`,
      );
    }
  }
  for (const [section, entries] of Object.entries({ Parameters, Resources })) {
    const untyped = Object.entries(entries as object).find(([, one]) => !isMap(one) || typeof one.Type !== 'string');
    if (untyped) throw new Error(`${section}/${untyped[0]}: has no Type`);
  }
  return template as unknown as Template;
}

/** YAML is a superset of JSON. JSON.parse is faster; the YAML parser reports the line of an error. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text, withoutNull);
  } catch {
    return parseYaml(text, withoutNull);
  }
}

/** Drops keys without a value, such as an empty section `Parameters:`. */
function withoutNull(_key: unknown, value: unknown): unknown {
  return value ?? undefined;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
