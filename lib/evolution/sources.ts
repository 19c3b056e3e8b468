import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cdk } from '../cdk-cli';
import { readCloudAssembly } from '../cloud-assembly';
import { QUIET_SDK } from '../emulator/environment';
import { UsageError } from '../usage-error';
import type { NamedTemplate, Template } from './template';

/**
 * The templates of this project's phases, by the id of their stack.
 *
 * @param context CDK context, `name=value` each
 * @param say told what the CDK prints
 */
export async function synthesizePhases(
  context: readonly string[],
  say: (line: string) => void,
): Promise<ReadonlyMap<string, NamedTemplate>> {
  const out = mkdtempSync(join(tmpdir(), 'shop-evolution-'));
  try {
    // A phase that the running shop may not become has an error on its stack, and is compared all the same.
    const args = ['synth', '--quiet', '--ignore-errors', '--no-validation', '--output', out];
    await cdk([...args, ...context.flatMap((pair) => ['-c', pair])], { ...process.env, ...QUIET_SDK }, say);
    const stacks = readCloudAssembly(out).map(
      ({ id, template, paths }) => [id, { name: id, template, paths }] as const,
    );
    return new Map(stacks);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
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
    const stacks = readCloudAssembly(path);
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
