import { existsSync, readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { parseTemplate } from './parse';
import { NESTED_STACK, type StackTemplate, type TemplateResource, type UnreadableStack } from './template';

/** What an assembly tells of constructs, by path such as `/phase-1/Shop/Box/Instance`. */
export type Metadata = Readonly<Record<string, readonly { readonly type: string; readonly data?: unknown }[]>>;

/** Constructs of a stack that is told of in an assembly. */
export interface Constructs {
  readonly metadata: Metadata;
  /** Path of the stack itself: `/phase-1`, or `/phase-1/Jobs` for one that is nested in it. */
  readonly root: string;
}

/**
 * A template file with the nested stacks that lie beside it.
 *
 * @param above files that it is nested in
 * @throws in one line when it cannot be read
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

/** @param above files of the stacks around it; the last is that of its parent */
function readNested(
  resource: TemplateResource,
  constructs: Constructs | undefined,
  above: readonly string[],
): StackTemplate | UnreadableStack {
  const folder = dirname(above.at(-1) as string);
  const told = nestedFile(resource, constructs);
  if (told === undefined) return { problem: 'its TemplateURL is known to CloudFormation alone' };
  if (/^[a-z0-9]+:\/\//i.test(told)) return { problem: `${told} is no file beside its parent` };
  const file = resolve(folder, told);
  if (!existsSync(file)) return { problem: `${told} is not there` };
  if (above.includes(file)) return { problem: `${told} is nested in itself` };
  try {
    return readStackFile(file, constructs, above);
  } catch (error) {
    return { problem: `${relative(folder, file)}: ${(error as Error).message}` };
  }
}

/** By the CDK's note of the asset that it is, by what the assembly says, or by a path as `aws cloudformation package` takes it. */
function nestedFile({ Metadata: notes, Properties }: TemplateResource, constructs?: Constructs): string | undefined {
  const entries = constructs?.metadata[constructs.root] ?? [];
  const names = [
    notes?.['aws:asset:path'],
    entries.find(({ type }) => type === 'aws:cdk:templateFile')?.data,
    Properties?.TemplateURL,
  ];
  return names.find((one) => typeof one === 'string');
}

const NESTED_RESOURCE = /([^/]+)\.NestedStack\/\1\.NestedStackResource$/;

/**
 * `/phase-1/Shop/Box/Instance/Resource` has an entry that tells its logical id; what is told is `Shop/Box/Instance`. Of a nested
 * stack `Jobs`, the resource is told as `Jobs`, and what is in it has logical ids and a template of its own.
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
