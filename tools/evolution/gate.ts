import type { Template } from '../cloudformation/template';
import { allChanges, type Change, type Comparison, compare, type NestedComparison } from './changes';
import { mapReferences } from './references';
import { PROTECTIONS, policyOf, retentionRank } from './stateful';

/**
 * Allowed removals of one step. All other stateful resources, outputs and physical names must stay. Ids in nested stacks have the id
 * of the stack as prefix: `Jobs/Queue`.
 */
export interface Manifest {
  /** Stateful resources that may be removed or replaced, by logical id. */
  readonly resources?: Readonly<Record<string, Allowance>>;
  /** Reasons why outputs may be removed, by name. */
  readonly outputs?: Readonly<Record<string, string>>;
  /** Reasons why physical names may be removed, by logical id of the resource. */
  readonly names?: Readonly<Record<string, string>>;
  /** Reasons why nested stacks may stay unread, by logical id. */
  readonly nested?: Readonly<Record<string, string>>;
}

export interface Allowance {
  readonly fate: 'removed' | 'replaced';
  /** Policy that the resource must have in the template before the step. */
  readonly policy: 'Delete' | 'Snapshot' | 'Retain' | 'RetainExceptOnCreate';
  readonly reason: string;
}

/** A violated rule, which turns the gate red. */
export interface GateFinding {
  readonly rule:
    | 'state'
    | 'policy'
    | 'protection'
    | 'network'
    | 'output'
    | 'name'
    | 'condition'
    | 'lookup'
    | 'nested'
    | 'manifest';
  /** Logical id of the resource, or name of the output. */
  readonly id: string;
  /** Construct path if known, otherwise the id. */
  readonly path: string;
  readonly message: string;
}

/**
 * Checks a comparison against the manifest. An empty list means green. The same rules apply to nested stacks, except for outputs
 * that are not exported: only the parent reads those, and it is deployed together with the nested stack.
 */
export function checkGate(
  comparison: Comparison,
  manifest: Manifest = {},
  outputs: 'all' | 'exported' = 'all',
): GateFinding[] {
  const read = comparison.nested.filter((one) => one.comparison !== undefined);
  const own = partOf(manifest, (id) => (read.some((one) => id.startsWith(`${one.id}/`)) ? undefined : id));
  return [
    ...lostState(comparison, own),
    ...weakenedPolicies(comparison),
    ...droppedProtections(comparison),
    ...changedAddresses(comparison),
    ...removedOutputs(comparison, own, outputs),
    ...removedNames(comparison, own),
    ...changedConditions(comparison),
    ...laterReplacements(comparison),
    ...unreadableStacks(comparison, own),
    ...staleEntries(comparison, own),
    ...read.flatMap((one) => checkNested(one, manifest)),
  ];
}

function checkNested({ id: parent, path, comparison }: NestedComparison, manifest: Manifest): GateFinding[] {
  if (comparison === undefined) return [];
  const part = partOf(manifest, (id) => (id.startsWith(`${parent}/`) ? id.slice(parent.length + 1) : undefined));
  return checkGate(comparison, part, 'exported').map((finding) => ({
    ...finding,
    id: `${parent}/${finding.id}`,
    path: `${path}/${finding.path}`,
  }));
}

/** @param rename returns the id of an entry in the part, or undefined to leave the entry out */
function partOf(manifest: Manifest, rename: (id: string) => string | undefined): Manifest {
  const part = Object.entries(manifest).map(([kind, entries]) => [
    kind,
    Object.fromEntries(
      Object.entries(entries as object).flatMap(([id, entry]) => {
        const renamed = rename(id);
        return renamed === undefined ? [] : [[renamed, entry]];
      }),
    ),
  ]);
  return Object.fromEntries(part);
}

function lostState({ changes, before }: Comparison, { resources = {} }: Manifest): GateFinding[] {
  const added = changes.filter(({ fate }) => fate === 'added');
  return changes
    .filter(({ stateful, fate }) => stateful && fate !== 'added')
    .flatMap((change): GateFinding[] => {
      const { id, path, type, fate, properties, leaving } = change;
      const finding = (message: string) => [{ rule: 'state' as const, id, path, message: `${type} ${message}` }];
      const losses = properties.filter(({ loses }) => loses);
      if (losses.length > 0) return finding(`loses data: ${namesOf(losses)}`);
      if (fate === 'refused') {
        return finding(`cannot be updated, so the deploy fails: ${namesOf(properties, 'refused')}`);
      }
      if (fate !== 'removed' && fate !== 'replaced') return [];
      const allowed = resources[id];
      const was = before.template.Resources[id];
      if (allowed?.fate === fate && was !== undefined) {
        const policy = policyOf(was, fate === 'removed' ? 'DeletionPolicy' : 'UpdateReplacePolicy');
        return policy === allowed.policy
          ? []
          : finding(`may be ${fate} only with the policy ${allowed.policy}, but has ${policy}`);
      }
      if (fate === 'replaced') {
        return finding(`is replaced because of ${namesOf(properties, 'replaced')}; the old one is ${leaving}`);
      }
      const twin = added.find((other) => other.type === type);
      const hint = twin ? `. ${twin.path} is new: renaming or moving a construct creates a new resource` : '';
      return finding(`is removed and ${leaving}${hint}`);
    });
}

function namesOf(properties: Change['properties'], fate?: string): string {
  return properties
    .filter((one) => fate === undefined || one.fate === fate)
    .map(({ name, why }) => (why ? `${name} (${why})` : name))
    .join(', ');
}

/** Returns the stateful resources that exist before and after the step. */
function remaining({ changes, before, after }: Comparison) {
  return changes.flatMap(({ id, path, stateful, fate }) => {
    const was = before.template.Resources[id];
    const is = after.template.Resources[id];
    return stateful && fate !== 'replaced' && was && is ? [{ id, path, was, is }] : [];
  });
}

function weakenedPolicies(comparison: Comparison): GateFinding[] {
  return remaining(comparison).flatMap(({ id, path, was, is }) =>
    (['DeletionPolicy', 'UpdateReplacePolicy'] as const)
      .map((attribute) => ({ attribute, old: policyOf(was, attribute), now: policyOf(is, attribute) }))
      .filter(({ old, now }) => retentionRank(now) < retentionRank(old))
      .map(({ attribute, old, now }) => ({
        rule: 'policy' as const,
        id,
        path,
        message: `${was.Type}: ${attribute} changes from ${old} to ${now}`,
      })),
  );
}

function droppedProtections(comparison: Comparison): GateFinding[] {
  const isOn = (value: unknown) => value === true || value === 'true';
  return remaining(comparison).flatMap(({ id, path, was, is }) =>
    PROTECTIONS.filter((name) => isOn(was.Properties?.[name]) && !isOn(is.Properties?.[name])).map((name) => ({
      rule: 'protection' as const,
      id,
      path,
      message: `${was.Type} loses ${name}`,
    })),
  );
}

function changedAddresses({ changes, before, after }: Comparison): GateFinding[] {
  return changes
    .filter(({ type, fate }) => /^AWS::EC2::(VPC|Subnet)$/.test(type) && fate !== 'added' && fate !== 'removed')
    .flatMap(({ id, path, type }) => {
      const [was, is] = [before, after].map(({ template }) => template.Resources[id]?.Properties?.CidrBlock);
      if (JSON.stringify(was) === JSON.stringify(is)) return [];
      const message = `${type}: CidrBlock changes from ${JSON.stringify(was)} to ${JSON.stringify(is)}`;
      return [{ rule: 'network' as const, id, path, message }];
    });
}

function removedOutputs(
  { before, after }: Comparison,
  { outputs = {} }: Manifest,
  which: 'all' | 'exported',
): GateFinding[] {
  return Object.entries(before.template.Outputs ?? {}).flatMap(([name, was]): GateFinding[] => {
    const is = after.template.Outputs?.[name];
    const finding = (message: string) => [{ rule: 'output' as const, id: name, path: name, message }];
    const exported = [was, is].map((one) => JSON.stringify(one?.Export?.Name));
    if (is === undefined) {
      const read = which === 'all' || exported[0] !== undefined;
      return outputs[name] || !read ? [] : finding(`output ${name} is removed, which breaks its readers`);
    }
    if (exported[0] === undefined || exported[0] === exported[1]) return [];
    return finding(`output ${name}: export name changes from ${exported[0]} to ${exported[1] ?? 'none'}`);
  });
}

/** Types whose name is not referenced from outside: inline policies of a role, and the document of an association. */
const UNREFERENCED = ['AWS::IAM::Policy', 'AWS::SSM::Association'];

/** Finds removed physical names. A changed name replaces the resource, which `lostState` finds if it is stateful. */
function removedNames({ changes, before, after }: Comparison, { resources = {}, names = {} }: Manifest): GateFinding[] {
  const kept = new Set(physicalNames(after.template).map(({ name }) => name));
  return physicalNames(before.template)
    .filter(({ id, name }) => !kept.has(name) && !resources[id] && !names[id])
    .map(({ id, name }) => ({
      rule: 'name' as const,
      id,
      path: changes.find((change) => change.id === id)?.path ?? id,
      message: `physical name ${name} is removed`,
    }));
}

/** Returns type and name of explicitly named resources, such as `AWS::SQS::Queue "orders"`. */
function physicalNames({ Resources }: Template): { readonly id: string; readonly name: string }[] {
  return Object.entries(Resources).flatMap(([id, { Type, Properties = {} }]) => {
    if (Type === undefined || UNREFERENCED.includes(Type)) return [];
    const last = Type.split('::').at(-1);
    const property = [`${last}Name`, 'Name', `${last}Identifier`, `${last}Id`].find((one) => one in Properties);
    return property === undefined ? [] : [{ id, name: `${Type} ${JSON.stringify(Properties[property])}` }];
  });
}

/** Finds changed conditions. Their values are not known here, so each change may be a removal. */
function changedConditions(comparison: Comparison): GateFinding[] {
  const { before, after } = comparison;
  const meaning = ({ Conditions = {} }: Template, name: string | undefined) =>
    name === undefined ? 'none' : `${name} = ${JSON.stringify(Conditions[name])}`;
  return remaining(comparison).flatMap(({ id, path, was, is }) => {
    const [old, now] = [meaning(before.template, was.Condition), meaning(after.template, is.Condition)];
    if (old === now) return [];
    const message = `${was.Type}: condition changes from ${old} to ${now}; where it is false, the resource is removed`;
    return [{ rule: 'condition' as const, id, path, message }];
  });
}

/**
 * Finds resources that a later deploy of the same template would replace, because a Systems Manager parameter, such as the latest
 * AMI, is resolved at each deploy (https://github.com/aws/aws-cdk/issues/12355).
 */
function laterReplacements({ after }: Comparison): GateFinding[] {
  const { Parameters = {}, Resources } = after.template;
  const isResolvedAtDeploy = (name: string) => /^AWS::SSM::Parameter::Value</.test(Parameters[name]?.Type ?? '');
  let isUsed = false;
  const later = mapReferences(Resources, ({ target }) => {
    if (!isResolvedAtDeploy(target)) return target;
    isUsed = true;
    return `${target} (new)`;
  }) as Template['Resources'];
  if (!isUsed) return [];
  return allChanges(compare(after, { ...after, template: { ...after.template, Resources: later } }))
    .filter(({ fate, stateful }) => fate === 'replaced' && stateful)
    .map(({ id, path, type, properties }) => ({
      rule: 'lookup' as const,
      id,
      path,
      message: `${type} is replaced by any later deploy that resolves a new value for ${namesOf(properties, 'replaced')}`,
    }));
}

/** Finds nested stacks that cannot be read. `lostState` finds those that are removed or replaced as a whole. */
function unreadableStacks({ nested, before, after }: Comparison, { nested: allowed = {} }: Manifest): GateFinding[] {
  return nested
    .filter(
      ({ id, problem }) => problem && !allowed[id] && before.template.Resources[id] && after.template.Resources[id],
    )
    .map(({ id, path, problem }) => ({
      rule: 'nested',
      id,
      path,
      message: `changes in this nested stack are unknown: ${problem}`,
    }));
}

/** Finds manifest entries that the step does not need. */
function staleEntries({ changes, nested, before, after }: Comparison, manifest: Manifest): GateFinding[] {
  const { resources = {}, outputs = {}, names = {}, nested: unread = {} } = manifest;
  const fates = new Map(changes.map(({ id, fate }) => [id, fate]));
  const kept = new Set(physicalNames(after.template).map(({ name }) => name));
  const stale = [
    ...Object.entries(resources)
      .filter(([id, { fate }]) => fates.get(id) !== fate)
      .map(([id, { fate }]) => ({
        id,
        message: `the manifest allows it to be ${fate}, but it is ${fates.get(id) ?? 'in neither template'}`,
      })),
    ...Object.keys(outputs)
      .filter((name) => !before.template.Outputs?.[name] || after.template.Outputs?.[name])
      .map((id) => ({ id, message: `the manifest allows the removal of output ${id}, but it is not removed` })),
    ...Object.keys(names)
      .filter((id) => !physicalNames(before.template).some((one) => one.id === id && !kept.has(one.name)))
      .map((id) => ({ id, message: 'the manifest allows the removal of its name, but it is not removed' })),
    ...Object.keys(unread)
      .filter((id) => !nested.some((one) => one.id === id && one.problem))
      .map((id) => ({
        id,
        message: 'the manifest allows it to stay unread, but it is not an unreadable nested stack',
      })),
  ];
  return stale.map((one) => ({ rule: 'manifest', path: one.id, ...one }));
}
