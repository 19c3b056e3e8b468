import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../../usage-error';

/** A CloudFormation template, as far as it is read here. */
export interface Template {
  readonly Resources: Readonly<Record<string, TemplateResource>>;
  readonly Parameters?: Readonly<Record<string, { readonly Default?: unknown }>>;
}

export interface TemplateResource {
  readonly Type: string;
  // biome-ignore lint/suspicious/noExplicitAny: a template is JSON of any shape
  readonly Properties?: any;
}

/**
 * Reads a synthesized template.
 *
 * @param path a template as JSON, or a `cdk.out` folder
 * @param stack which stack's template of a folder, when it has several: `phase-4`
 * @throws UsageError when there is none, or several and no `stack`
 */
export function loadTemplate(path: string, stack?: string): Template {
  if (!existsSync(path))
    throw new UsageError(`Template "${path}" is not there; allowed is a JSON template or a cdk.out.`);
  if (!statSync(path).isDirectory()) return parse(path);
  const templates = readdirSync(path).filter((file) => file.endsWith('.template.json'));
  const wanted = stack === undefined ? templates : templates.filter((file) => file === `${stack}.template.json`);
  if (wanted.length === 1) return parse(join(path, wanted[0] as string));
  const names = templates.map((file) => file.replace('.template.json', '')).join(', ');
  throw new UsageError(`Folder "${path}" holds ${names || 'no templates'}; name the file of one.`);
}

function parse(file: string): Template {
  let template: unknown;
  try {
    template = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    throw new UsageError(`Template "${file}" is not JSON; allowed is what cdk synth writes to cdk.out.`);
  }
  if (typeof template !== 'object' || template === null || !('Resources' in template)) {
    throw new UsageError(`Template "${file}" has no Resources; allowed is a CloudFormation template.`);
  }
  return template as Template;
}
