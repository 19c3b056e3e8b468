import { existsSync, readFileSync, statSync } from 'node:fs';
import { readAssembly, type SynthesizeOptions, synthesize } from '../assembly';
import type { Template } from '../template';
import { UsageError } from '../usage-error';
import type { NamedTemplate } from './template';

/** The templates of this project's phases, by the id of their stack. */
export async function synthesizePhases(options: SynthesizeOptions): Promise<ReadonlyMap<string, NamedTemplate>> {
  const stacks = await synthesize(options);
  return new Map(stacks.map(({ id, template, paths }) => [id, { name: id, template, paths }]));
}

/**
 * The templates in a file, or in the output folder of `cdk synth`, each with the id of its stack as its name.
 *
 * @param option that the path was given with, for the error
 * @throws UsageError when there is no such thing
 */
export function readTemplates(path: string, option: string): NamedTemplate[] {
  const refuse = (problem: string) =>
    new UsageError(`${option} ${path}: ${problem}; allowed is a template as JSON, or the output folder of cdk synth`);
  if (!existsSync(path)) throw refuse('is not there');
  try {
    if (!statSync(path).isDirectory()) return [{ name: path, template: parseTemplate(readFileSync(path, 'utf8')) }];
    const stacks = readAssembly(path);
    return stacks.map(({ id, template, paths }) => ({ name: id, template: checked(template), paths }));
  } catch (error) {
    throw refuse((error as Error).message.split('\n')[0] ?? '');
  }
}

/** @throws when the text is no template in JSON */
export function parseTemplate(text: string): Template {
  return checked(JSON.parse(text));
}

function checked(template: unknown): Template {
  const { Resources } = (template ?? {}) as { Resources?: unknown };
  if (typeof Resources !== 'object' || Resources === null) throw new Error('has no Resources');
  return template as Template;
}
