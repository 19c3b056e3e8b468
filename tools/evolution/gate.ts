import type { Template } from '../cloudformation/template';
import { allChanges, type Change, type Comparison, compare, type NestedComparison } from './changes';
import { PROTECTIONS, policyOf, retentionRank } from './stateful';
import { mapReferences } from './template';

/**
 * What may go in one step. Everything else that holds state, or that others may know, stays. Inside of a nested stack, an id has that
 * of the stack in front: `Jobs/Queue`.
 */
export interface Manifest {
  /** What holds state and may go, by logical id. */
  readonly resources?: Readonly<Record<string, Allowance>>;
  /** Why an output may go, by its name. */
  readonly outputs?: Readonly<Record<string, string>>;
  /** Why the physical name of a resource may go, by its logical id. */
  readonly names?: Readonly<Record<string, string>>;
  /** Why a nested stack may go unread, by its logical id. */
  readonly nested?: Readonly<Record<string, string>>;
}

export interface Allowance {
  readonly fate: 'removed' | 'replaced';
  /** The policy that it must have when it goes, in the template that is deployed before. */
  readonly policy: 'Delete' | 'Snapshot' | 'Retain' | 'RetainExceptOnCreate';
  readonly reason: string;
}

/** A reason for the gate to be red. */
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
  /** Construct path, or the id again. */
  readonly path: string;
  readonly message: string;
}

/**
 * The gate: an empty list is green. Nested stacks are judged by the same rules, but for outputs that are not exported: their parent
 * alone reads those, and is deployed with them.
 */
export function checkGate(
  comparison: Comparison,
  manifest: Manifest = {},
  outputs: 'all' | 'exported' = 'all',
): GateFinding[] {
  const read = comparison.nested.filter((one) => one.comparison !== undefined);
  const own = partOf(manifest, (id) => (read.some((one) => id.startsWith(`${one.id}/`)) ? undefined : id));
  return [
    ...stateThatGoes(comparison, own),
    ...weakerPolicies(comparison),
    ...droppedProtections(comparison),
    ...networkThatMoves(comparison),
    ...outputsThatGo(comparison, own, outputs),
    ...namesThatGo(comparison, own),
    ...conditionsThatChange(comparison),
    ...lookedUpAtEachDeploy(comparison),
    ...unreadStacks(comparison, own),
    ...staleManifest(comparison, own),
    ...read.flatMap((one) => judgeNested(one, manifest)),
  ];
}

function judgeNested({ id: parent, path, comparison }: NestedComparison, manifest: Manifest): GateFinding[] {
  if (comparison === undefined) return [];
  const part = partOf(manifest, (id) => (id.startsWith(`${parent}/`) ? id.slice(parent.length + 1) : undefined));
  return checkGate(comparison, part, 'exported').map((finding) => ({
    ...finding,
    id: `${parent}/${finding.id}`,
    path: `${path}/${finding.path}`,
  }));
}

/** @param rename gives an entry its id in the part, or none when it is not in it */
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

function stateThatGoes({ changes, before }: Comparison, { resources = {} }: Manifest): GateFinding[] {
  const added = changes.filter(({ fate }) => fate === 'added');
  return changes
    .filter(({ stateful, fate }) => stateful && fate !== 'added')
    .flatMap((change): GateFinding[] => {
      const { id, path, type, fate, properties, leaving } = change;
      const finding = (message: string) => [{ rule: 'state' as const, id, path, message: `${type} ${message}` }];
      const losses = properties.filter(({ loses }) => loses);
      if (losses.length > 0) return finding(`loses what it holds: ${namesOf(losses)}`);
      if (fate === 'refused') {
        return finding(`cannot be changed so, and the deploy fails: ${namesOf(properties, 'refused')}`);
      }
      if (fate !== 'removed' && fate !== 'replaced') return [];
      const allowed = resources[id];
      const was = before.template.Resources[id];
      if (allowed?.fate === fate && was !== undefined) {
        const policy = policyOf(was, fate === 'removed' ? 'DeletionPolicy' : 'UpdateReplacePolicy');
        return policy === allowed.policy
          ? []
          : finding(`may be ${fate} with the policy ${allowed.policy}, yet has ${policy}`);
      }
      if (fate === 'replaced') return finding(`is replaced by ${namesOf(properties, 'replaced')}, and ${leaving}`);
      const twin = added.find((other) => other.type === type);
      const hint = twin ? `; ${twin.path} is new: a construct that is renamed or moved is another resource` : '';
      return finding(`is removed, and ${leaving}${hint}`);
    });
}

function namesOf(properties: Change['properties'], fate?: string): string {
  return properties
    .filter((one) => fate === undefined || one.fate === fate)
    .map(({ name, why }) => (why ? `${name} (${why})` : name))
    .join(', ');
}

/** Stateful resources that are there before and after. */
function staying({ changes, before, after }: Comparison) {
  return changes.flatMap(({ id, path, stateful, fate }) => {
    const was = before.template.Resources[id];
    const is = after.template.Resources[id];
    return stateful && fate !== 'replaced' && was && is ? [{ id, path, was, is }] : [];
  });
}

function weakerPolicies(comparison: Comparison): GateFinding[] {
  return staying(comparison).flatMap(({ id, path, was, is }) =>
    (['DeletionPolicy', 'UpdateReplacePolicy'] as const)
      .map((attribute) => ({ attribute, old: policyOf(was, attribute), now: policyOf(is, attribute) }))
      .filter(({ old, now }) => retentionRank(now) < retentionRank(old))
      .map(({ attribute, old, now }) => ({
        rule: 'policy' as const,
        id,
        path,
        message: `${was.Type} had ${attribute} ${old}, and now ${now}`,
      })),
  );
}

function droppedProtections(comparison: Comparison): GateFinding[] {
  const isOn = (value: unknown) => value === true || value === 'true';
  return staying(comparison).flatMap(({ id, path, was, is }) =>
    PROTECTIONS.filter((name) => isOn(was.Properties?.[name]) && !isOn(is.Properties?.[name])).map((name) => ({
      rule: 'protection' as const,
      id,
      path,
      message: `${was.Type} was protected by ${name}, and is not any more`,
    })),
  );
}

function networkThatMoves({ changes, before, after }: Comparison): GateFinding[] {
  return changes
    .filter(({ type, fate }) => /^AWS::EC2::(VPC|Subnet)$/.test(type) && fate !== 'added' && fate !== 'removed')
    .flatMap(({ id, path, type }) => {
      const [was, is] = [before, after].map(({ template }) => template.Resources[id]?.Properties?.CidrBlock);
      if (JSON.stringify(was) === JSON.stringify(is)) return [];
      const message = `${type} had the addresses ${JSON.stringify(was)}, and now ${JSON.stringify(is)}`;
      return [{ rule: 'network' as const, id, path, message }];
    });
}

function outputsThatGo(
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
      return outputs[name] || !read ? [] : finding(`the output ${name} goes: whoever reads it finds nothing`);
    }
    if (exported[0] === undefined || exported[0] === exported[1]) return [];
    return finding(`the output ${name} was exported as ${exported[0]}, and now as ${exported[1] ?? 'nothing'}`);
  });
}

/** Types whose name nobody looks for: a policy inside of its role, the document that an association runs. */
const NAMELESS = ['AWS::IAM::Policy', 'AWS::SSM::Association'];

/** Physical names that others may know. One that changes makes another resource, and is found as such if that holds state. */
function namesThatGo({ changes, before, after }: Comparison, { resources = {}, names = {} }: Manifest): GateFinding[] {
  const stay = new Set(physicalNames(after.template).map(({ name }) => name));
  return physicalNames(before.template)
    .filter(({ id, name }) => !stay.has(name) && !resources[id] && !names[id])
    .map(({ id, name }) => ({
      rule: 'name' as const,
      id,
      path: changes.find((change) => change.id === id)?.path ?? id,
      message: `nothing is named ${name} any more`,
    }));
}

/** `AWS::SQS::Queue "orders"`, of resources that are given a name. */
function physicalNames({ Resources }: Template): { readonly id: string; readonly name: string }[] {
  return Object.entries(Resources).flatMap(([id, { Type, Properties = {} }]) => {
    if (Type === undefined || NAMELESS.includes(Type)) return [];
    const last = Type.split('::').at(-1);
    const property = [`${last}Name`, 'Name', `${last}Identifier`, `${last}Id`].find((one) => one in Properties);
    return property === undefined ? [] : [{ id, name: `${Type} ${JSON.stringify(Properties[property])}` }];
  });
}

/** Nobody knows here what a condition will be, so a change of one may be a removal. */
function conditionsThatChange(comparison: Comparison): GateFinding[] {
  const { before, after } = comparison;
  const meaning = ({ Conditions = {} }: Template, name: string | undefined) =>
    name === undefined ? 'none' : `${name} = ${JSON.stringify(Conditions[name])}`;
  return staying(comparison).flatMap(({ id, path, was, is }) => {
    const [old, now] = [meaning(before.template, was.Condition), meaning(after.template, is.Condition)];
    if (old === now) return [];
    const message = `${was.Type} had the condition ${old}, and now ${now}: where it is false, the resource goes`;
    return [{ rule: 'condition' as const, id, path, message }];
  });
}

/**
 * What a parameter of Systems Manager replaces at any later deploy, without a change of the template: an image that is looked up
 * anew each time (https://github.com/aws/aws-cdk/issues/12355).
 */
function lookedUpAtEachDeploy({ after }: Comparison): GateFinding[] {
  const { Parameters = {}, Resources } = after.template;
  const lookedUp = (name: string) => /^AWS::SSM::Parameter::Value</.test(Parameters[name]?.Type ?? '');
  let isUsed = false;
  const later = mapReferences(Resources, ({ target }) => {
    if (!lookedUp(target)) return target;
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
      message: `${type} is replaced at whatever deploy finds another value: ${namesOf(properties, 'replaced')} is looked up`,
    }));
}

/** What is not read may lose anything. One that goes as a whole is found as such. */
function unreadStacks({ nested, before, after }: Comparison, { nested: allowed = {} }: Manifest): GateFinding[] {
  return nested
    .filter(
      ({ id, problem }) => problem && !allowed[id] && before.template.Resources[id] && after.template.Resources[id],
    )
    .map(({ id, path, problem }) => ({
      rule: 'nested',
      id,
      path,
      message: `what changes in this nested stack cannot be told: ${problem}`,
    }));
}

function staleManifest({ changes, nested, before, after }: Comparison, manifest: Manifest): GateFinding[] {
  const { resources = {}, outputs = {}, names = {}, nested: unread = {} } = manifest;
  const fates = new Map(changes.map(({ id, fate }) => [id, fate]));
  const stay = new Set(physicalNames(after.template).map(({ name }) => name));
  const stale = [
    ...Object.entries(resources)
      .filter(([id, { fate }]) => fates.get(id) !== fate)
      .map(([id, { fate }]) => ({ id, message: `may be ${fate}, yet is ${fates.get(id) ?? 'not there'}` })),
    ...Object.keys(outputs)
      .filter((name) => !before.template.Outputs?.[name] || after.template.Outputs?.[name])
      .map((id) => ({ id, message: `the output ${id} may go, yet does not` })),
    ...Object.keys(names)
      .filter((id) => !physicalNames(before.template).some((one) => one.id === id && !stay.has(one.name)))
      .map((id) => ({ id, message: 'its name may go, yet does not' })),
    ...Object.keys(unread)
      .filter((id) => !nested.some((one) => one.id === id && one.problem))
      .map((id) => ({ id, message: 'may go unread, yet is no nested stack that cannot be read' })),
  ];
  return stale.map((one) => ({ rule: 'manifest', path: one.id, ...one }));
}
