import { existsSync, readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { parseTemplate } from './parse';
import { NESTED_STACK, type StackTemplate, type TemplateResource, type UnreadableStack } from './template';

/** Metadata of an assembly by construct path, such as `/phase-1/Shop/Box/Instance`. */
export type Metadata = Readonly<Record<string, readonly { readonly type: string; readonly data?: unknown }[]>>;

/** The constructs of a stack in an assembly. */
export interface Constructs {
  readonly metadata: Metadata;
  /** Construct path of the stack: `/phase-1`, or `/phase-1/Jobs` for a nested stack. */
  readonly root: string;
}

/**
 * Reads a template file and the files of its nested stacks.
 *
 * @param above files of the parent stacks, outermost first
 * @throws Error with a one-line message if the file cannot be read
 */
export function readStackFile(file: string, constructs?: Constructs, above: readonly string[] = []): StackTemplate {
  const template = parseTemplate(readFileSync(file, 'utf8'));
  const paths = constructs && constructPaths(constructs);
  const nested = Object.entries(template.Resources)
    .filter(([, { Type }]) => Type === NESTED_STACK)
    .map(([id, resource]) => {
      const path = paths?.get(id);
      const inside =
        constructs && path !== undefined ? { ...constructs, root: `${constructs.root}/${path}` } : undefined;
      return [id, readNested(resource, inside, [...above, resolve(file)])] as const;
    });
  return { template, ...(paths ? { paths } : {}), nested: new Map(nested) };
}

/** @param above files of the parent stacks; the direct parent is last */
function readNested(
  resource: TemplateResource,
  constructs: Constructs | undefined,
  above: readonly string[],
): StackTemplate | UnreadableStack {
  const folder = dirname(above.at(-1) as string);
  const name = nestedFile(resource, constructs);
  if (name === undefined) return { problem: 'its TemplateURL is resolved at deployment' };
  if (/^[a-z0-9]+:\/\//i.test(name)) return { problem: `${name} is not a local file` };
  const file = resolve(folder, name);
  if (!existsSync(file)) return { problem: `${name} does not exist` };
  if (above.includes(file)) return { problem: `${name} is nested in itself` };
  try {
    return readStackFile(file, constructs, above);
  } catch (error) {
    return { problem: `${relative(folder, file)}: ${(error as Error).message}` };
  }
}

/** File name from the CDK's asset metadata, the assembly, or a local path as used by `aws cloudformation package`. */
function nestedFile({ Metadata: metadata, Properties }: TemplateResource, constructs?: Constructs): string | undefined {
  const entries = constructs?.metadata[constructs.root] ?? [];
  const names = [
    metadata?.['aws:asset:path'],
    entries.find(({ type }) => type === 'aws:cdk:templateFile')?.data,
    Properties?.TemplateURL,
  ];
  return names.find((one) => typeof one === 'string');
}

const NESTED_RESOURCE = /([^/]+)\.NestedStack\/\1\.NestedStackResource$/;

/**
 * Maps logical ids to construct paths: `/phase-1/Shop/Box/Instance/Resource` becomes `Shop/Box/Instance`, and the resource of a
 * nested stack `Jobs` becomes `Jobs`. Leaves out the constructs inside nested stacks, which have their own templates.
 */
function constructPaths({ metadata, root }: Constructs): Map<string, string> {
  const below = Object.entries(metadata).flatMap(([path, entries]) =>
    path.startsWith(`${root}/`) ? [{ path: path.slice(root.length + 1), entries }] : [],
  );
  const nested = below.flatMap(({ path }) =>
    NESTED_RESOURCE.test(path) ? [path.replace(NESTED_RESOURCE, '$1/')] : [],
  );
  const paths = new Map<string, string>();
  for (const { path, entries } of below) {
    if (nested.some((one) => path.startsWith(one))) continue;
    for (const { type, data } of entries) {
      if (type === 'aws:cdk:logicalId') {
        paths.set(String(data), path.replace(NESTED_RESOURCE, '$1').replace(/\/Resource$/, ''));
      }
    }
  }
  return paths;
}
