import { fullDiff, type ResourceDifference, ResourceImpact } from '@aws-cdk/cloudformation-diff';
import { NESTED_STACK, nestedStackIn, type Template } from '../cloudformation/template';
import { type Disposition, dispositionOf, isStateful, policyOf } from './stateful';
import { mapReferences, type NamedTemplate } from './template';
import { updateBehaviors } from './update-behaviors';

/**
 * What a deploy does to a resource that is there before it or after it:
 *
 * - `kept`: nothing
 * - `changed`: changed in place, without interruption
 * - `interrupted`: changed in place, away or slow for a while
 * - `replaced`: another one is made, and this one goes, or may go
 * - `refused`: nobody can do this; the deploy fails and rolls back
 * - `removed`: it leaves the stack
 * - `added`: it is made
 */
export type Fate = 'kept' | 'changed' | 'interrupted' | 'replaced' | 'refused' | 'removed' | 'added';

export interface PropertyChange {
  readonly name: string;
  readonly fate: 'changed' | 'interrupted' | 'replaced' | 'refused';
  /** Whether something is lost that the resource held, although it stays. */
  readonly loses: boolean;
  readonly why?: string;
  /** Page that says so; without one it is CloudFormation's schema that does. */
  readonly source?: string;
}

export interface Change {
  /** Logical id. */
  readonly id: string;
  /** Path of its construct, or else its logical id. */
  readonly path: string;
  readonly type: string;
  readonly fate: Fate;
  /** Whether it holds state, as it is before the deploy, or after it when it is added. */
  readonly stateful: boolean;
  readonly properties: readonly PropertyChange[];
  /** What becomes of the one that was there; of removed and replaced ones. */
  readonly leaving?: Disposition;
}

export interface Comparison {
  readonly before: NamedTemplate;
  readonly after: NamedTemplate;
  /** Of its own resources; those of nested stacks are with them. */
  readonly changes: readonly Change[];
  readonly nested: readonly NestedComparison[];
  /** Names of outputs whose value changes. */
  readonly outputs: readonly string[];
}

/** What a deploy does inside of a nested stack. */
export interface NestedComparison {
  /** Logical id of the nested stack in its parent. */
  readonly id: string;
  /** Path of its construct, or else its logical id. */
  readonly path: string;
  /** Undefined for one that cannot be read. */
  readonly comparison?: Comparison;
  /** Why it cannot be read. */
  readonly problem?: string;
}

/**
 * What CloudFormation would do to each resource of a stack with the template `before` that is deployed with `after`.
 *
 * @param given parameters whose value changes from outside
 */
export function compare(before: NamedTemplate, after: NamedTemplate, given: readonly string[] = []): Comparison {
  const ids = new Set([...Object.keys(before.template.Resources), ...Object.keys(after.template.Resources)]);
  // What a nested stack puts out goes into its siblings, and what goes in may change what they put out.
  const changed = new Set(given);
  for (;;) {
    const { differences, outputs } = differencesWithConsequences(before.template, after.template, changed);
    const changes = [...ids]
      // The CDK's note of its own version; it stands for nothing.
      .filter((id) => (before.template.Resources[id] ?? after.template.Resources[id])?.Type !== 'AWS::CDK::Metadata')
      .map((id) => changeOf(id, before, after, differences.get(id)));
    const nested = changes
      .filter(({ type }) => type === NESTED_STACK)
      .map((change) => compareNested(change, before, after, differences.get(change.id)));
    const more = nested
      .flatMap(({ id, comparison }) => (comparison?.outputs ?? []).map((output) => `${id}.Outputs.${output}`))
      .filter((output) => !changed.has(output));
    if (more.length === 0) return { before, after, changes, nested, outputs };
    for (const output of more) changed.add(output);
  }
}

/** The changes of a stack and of those nested in it, each under the ids of the stacks around it: `Jobs/Queue`. */
export function allChanges({ changes, nested }: Comparison): readonly Change[] {
  const inside = nested.flatMap(({ id, path, comparison }) =>
    comparison === undefined
      ? []
      : allChanges(comparison).map((one) => ({ ...one, id: `${id}/${one.id}`, path: `${path}/${one.path}` })),
  );
  return [...changes, ...inside];
}

const NOTHING: NamedTemplate = { name: 'nothing', template: { Resources: {} } };

function compareNested(
  { id, path, fate, leaving }: Change,
  before: NamedTemplate,
  after: NamedTemplate,
  difference: ResourceDifference | undefined,
): NestedComparison {
  const inside = (stack: NamedTemplate) => {
    if (stack.template.Resources[id]?.Type !== NESTED_STACK) return NOTHING;
    const found = nestedStackIn(stack, id);
    return 'problem' in found ? found : { name: `${stack.name}/${id}`, ...found };
  };
  const [was, is] = [inside(before), inside(after)];
  for (const one of [was, is]) if ('problem' in one) return { id, path, problem: one.problem };
  // What is kept outside of its parent is kept with all that is in it.
  if (fate === 'removed' && leaving === 'kept outside of the stack') return { id, path };
  const { oldValue = {}, newValue = {} } = difference?.propertyUpdates.Parameters ?? {};
  const given = [...new Set([...Object.keys(oldValue), ...Object.keys(newValue)])].filter(
    (name) => JSON.stringify(oldValue[name]) !== JSON.stringify(newValue[name]),
  );
  return { id, path, comparison: compare(was as NamedTemplate, is as NamedTemplate, given) };
}

function changeOf(
  id: string,
  before: NamedTemplate,
  after: NamedTemplate,
  difference: ResourceDifference | undefined,
): Change {
  const was = before.template.Resources[id];
  const is = after.template.Resources[id];
  const resource = was ?? is;
  if (resource === undefined) throw new Error(`no resource ${id}`);
  const path = before.paths?.get(id) ?? after.paths?.get(id) ?? pathInMetadata(resource.Metadata) ?? id;
  const common = { id, path, type: resource.Type, stateful: isStateful(resource), properties: [] };

  if (was === undefined) return { ...common, fate: 'added' };
  if (is === undefined) return { ...common, fate: 'removed', leaving: dispositionOf(policyOf(was, 'DeletionPolicy')) };
  const leaving = dispositionOf(policyOf(was, 'UpdateReplacePolicy'));
  if (was.Type !== is.Type) {
    const properties = [
      { name: 'Type', fate: 'refused', loses: false, why: 'the type of a resource is fixed' } as const,
    ];
    return { ...common, fate: 'refused', properties };
  }
  if (difference === undefined || !reachesResource(difference)) return { ...common, fate: 'kept' };
  const properties = Object.entries(difference.propertyUpdates).map(([name, change]) =>
    propertyChange(was.Type, name, change),
  );
  const fate = (['refused', 'replaced', 'interrupted'] as const).find((one) =>
    properties.some((property) => property.fate === one),
  );
  return { ...common, properties, fate: fate ?? 'changed', ...(fate === 'replaced' ? { leaving } : {}) };
}

/** Notes and the order of things are changed in the stack alone. */
function reachesResource({ propertyUpdates, otherChanges }: ResourceDifference): boolean {
  const others = Object.keys(otherChanges).filter((name) => name !== 'Metadata' && name !== 'DependsOn');
  return Object.keys(propertyUpdates).length > 0 || others.length > 0;
}

/** Where apps with `pathMetadata` on tell it: `Stack/Shop/Box/Instance/Resource`. */
function pathInMetadata(metadata: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const path = metadata?.['aws:cdk:path'];
  return typeof path === 'string' ? path.replace(/^[^/]+\//, '').replace(/\/Resource$/, '') : undefined;
}

function propertyChange(
  type: string,
  name: string,
  {
    oldValue,
    newValue,
    changeImpact,
  }: { readonly oldValue: unknown; readonly newValue: unknown; readonly changeImpact?: ResourceImpact },
): PropertyChange {
  const known = updateBehaviors[type]?.[name]?.find(({ when }) => when?.(oldValue, newValue) ?? true);
  if (known !== undefined) {
    const { effect, why, source } = known;
    const fate = ({ none: 'changed', loss: 'changed', interruption: 'interrupted', refused: 'refused' } as const)[
      effect
    ];
    return { name, fate, loses: effect === 'loss', why, source };
  }
  switch (changeImpact) {
    case ResourceImpact.WILL_REPLACE:
      return { name, fate: 'replaced', loses: false };
    case ResourceImpact.MAY_REPLACE:
      return { name, fate: 'replaced', loses: false, why: 'may be, says the schema' };
    case ResourceImpact.NO_CHANGE:
      return { name, fate: 'changed', loses: false, why: 'not in the schema' };
    default:
      return { name, fate: 'changed', loses: false };
  }
}

const REPLACED = ' (replaced)';
const NEW_VERSION = ' (new version)';

/**
 * Differences by logical id, with what follows from them: whoever refers to a resource that is replaced gets another value, and so
 * does whoever asks for the newest version of a launch template that changes. fullDiff follows references as well, but not those
 * inside of `Fn::Join` and `Fn::Sub`.
 *
 * @param changed what else has another value: parameters, and `Id.Outputs.Name` of nested stacks
 */
function differencesWithConsequences(before: Template, after: Template, changed: ReadonlySet<string>) {
  const renamed = new Map<string, string>();
  for (;;) {
    const marked = mapReferences(after, ({ target, attribute }) => {
      if (changed.has(attribute === undefined ? target : `${target}.${attribute}`)) return target + REPLACED;
      return attribute === 'LatestVersionNumber' || renamed.get(target) === REPLACED
        ? target + (renamed.get(target) ?? '')
        : target;
    }) as Template;
    const differences = new Map<string, ResourceDifference>();
    fullDiff({ ...before }, { ...marked }).resources.forEachDifference((id, difference) => {
      differences.set(id, difference);
    });
    const more = [...differences].filter(([id, difference]) => {
      const mark = consequence(difference);
      if (mark === undefined || renamed.get(id) === mark) return false;
      renamed.set(id, mark);
      return true;
    });
    if (more.length === 0) return { differences, outputs: changedOutputs(before, marked) };
  }
}

function changedOutputs({ Outputs: were = {} }: Template, { Outputs: are = {} }: Template): string[] {
  return Object.keys(are).filter(
    (name) => were[name] !== undefined && JSON.stringify(were[name].Value) !== JSON.stringify(are[name]?.Value),
  );
}

function consequence(difference: ResourceDifference): string | undefined {
  if (!difference.isUpdate || difference.resourceTypeChanged) return undefined;
  const { resourceType, propertyUpdates } = difference;
  const impacts = Object.entries(propertyUpdates).map(
    ([name, change]) => propertyChange(resourceType ?? '', name, change).fate,
  );
  if (impacts.includes('replaced')) return REPLACED;
  return resourceType === 'AWS::EC2::LaunchTemplate' && 'LaunchTemplateData' in propertyUpdates
    ? NEW_VERSION
    : undefined;
}
