import type { Template } from './template';
import { parseYaml } from './yaml';

/** What {@link parseTemplate} reads, for errors. */
export const TEMPLATE_FORMATS = 'JSON or YAML';

/**
 * A CloudFormation template, whichever of its two languages it is written in.
 *
 * @throws in one line, with the place of what is wrong
 */
export function parseTemplate(text: string): Template {
  const template = parsed(text);
  const { Resources, Parameters = {} } = isMap(template) ? template : {};
  if (!isMap(Resources)) throw new Error('has no Resources');
  for (const id of Object.keys(Resources)) {
    // Fn::ForEach and Fn::Transform stand where resources do, and nobody but CloudFormation knows what becomes of them.
    if (id.startsWith('Fn::')) {
      throw new Error(
        `Resources/${id}: macros are run by CloudFormation alone; "aws cloudformation get-template --template-stage Processed" has what they make`,
      );
    }
  }
  for (const [section, entries] of Object.entries({ Parameters, Resources })) {
    const untyped = Object.entries(entries as object).find(([, one]) => !isMap(one) || typeof one.Type !== 'string');
    if (untyped) throw new Error(`${section}/${untyped[0]}: has no Type`);
  }
  return template as unknown as Template;
}

/** JSON is YAML as well; its own parser is fast, and YAML's tells the line of what is wrong. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text, withoutNull);
  } catch {
    return parseYaml(text, withoutNull);
  }
}

/** A key without a value, as `Parameters:` alone on its line, is as good as none. */
function withoutNull(_key: unknown, value: unknown): unknown {
  return value ?? undefined;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
