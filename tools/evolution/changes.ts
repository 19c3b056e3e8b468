import { fullDiff, type ResourceDifference, ResourceImpact } from '@aws-cdk/cloudformation-diff';
import { NESTED_STACK, nestedStackIn, type Template } from '../cloudformation/template';
import { mapReferences, type NamedTemplate } from './references';
import { type Disposition, dispositionOf, isStateful, policyOf } from './stateful';
import { updateBehaviors } from './update-behaviors';

/**
 * Effect of a deploy on a resource:
 *
 * - `kept`: not changed
 * - `changed`: updated in place, without interruption
 * - `interrupted`: updated in place, but down or slow for some time
 * - `replaced`: replaced by a new resource, certainly or possibly
 * - `refused`: not possible; the deploy fails and rolls back
 * - `removed`: removed from the stack
 * - `added`: created
 */
export type Fate = 'kept' | 'changed' | 'interrupted' | 'replaced' | 'refused' | 'removed' | 'added';

export interface PropertyChange {
  readonly name: string;
  readonly fate: 'changed' | 'interrupted' | 'replaced' | 'refused';
  /** Whether the resource stays but loses data. */
  readonly loses: boolean;
  readonly why?: string;
  /**
   * Documentation page.
   *
   * @default - CloudFormation's resource schema
   */
  readonly source?: string;
}

export interface Change {
  /** Logical id. */
  readonly id: string;
  /** Construct path if known, otherwise the logical id. */
  readonly path: string;
  readonly type: string;
  readonly fate: Fate;
  /** Whether it holds state before the deploy, or after it if it is added. */
  readonly stateful: boolean;
  readonly properties: readonly PropertyChange[];
  /** What happens to the old physical resource. Only for removed and replaced resources. */
  readonly leaving?: Disposition;
}

export interface Comparison {
  readonly before: NamedTemplate;
  readonly after: NamedTemplate;
  /** Changes of the stack's own resources, without those of nested stacks. */
  readonly changes: readonly Change[];
  readonly nested: readonly NestedComparison[];
  /** Names of the outputs whose value changes. */
  readonly outputs: readonly string[];
}

/** Changes inside a nested stack. */
export interface NestedComparison {
  /** Logical id of the nested stack in its parent. */
  readonly id: string;
  /** Construct path if known, otherwise the logical id. */
  readonly path: string;
  /** Undefined if its template cannot be read. */
  readonly comparison?: Comparison;
  /** Reason why its template cannot be read. */
  readonly problem?: string;
}

/**
 * Predicts what CloudFormation does to each resource when a stack with the template `before` is updated to `after`.
 *
 * @param parameters names of parameters whose value changes
 */
export function compare(before: NamedTemplate, after: NamedTemplate, parameters: readonly string[] = []): Comparison {
  const ids = new Set([...Object.keys(before.template.Resources), ...Object.keys(after.template.Resources)]);
  // Outputs of a nested stack can be parameters of its siblings, so repeat until no further output changes.
  const changed = new Set(parameters);
  for (;;) {
    const { differences, outputs } = differencesWithConsequences(before.template, after.template, changed);
    const changes = [...ids]
      // Holds only the CDK's version.
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

/** Returns the changes of a stack and its nested stacks, with the ids of the parents as prefix: `Jobs/Queue`. */
export function allChanges({ changes, nested }: Comparison): readonly Change[] {
  const inside = nested.flatMap(({ id, path, comparison }) =>
    comparison === undefined
      ? []
      : allChanges(comparison).map((one) => ({ ...one, id: `${id}/${one.id}`, path: `${path}/${one.path}` })),
  );
  return [...changes, ...inside];
}

const EMPTY: NamedTemplate = { name: 'none', template: { Resources: {} } };

function compareNested(
  { id, path, fate, leaving }: Change,
  before: NamedTemplate,
  after: NamedTemplate,
  difference: ResourceDifference | undefined,
): NestedComparison {
  const inside = (stack: NamedTemplate) => {
    if (stack.template.Resources[id]?.Type !== NESTED_STACK) return EMPTY;
    const found = nestedStackIn(stack, id);
    return 'problem' in found ? found : { name: `${stack.name}/${id}`, ...found };
  };
  const [was, is] = [inside(before), inside(after)];
  for (const one of [was, is]) if ('problem' in one) return { id, path, problem: one.problem };
  // A retained nested stack retains its resources.
  if (fate === 'removed' && leaving === 'retained outside the stack') return { id, path };
  const { oldValue = {}, newValue = {} } = difference?.propertyUpdates.Parameters ?? {};
  const parameters = [...new Set([...Object.keys(oldValue), ...Object.keys(newValue)])].filter(
    (name) => JSON.stringify(oldValue[name]) !== JSON.stringify(newValue[name]),
  );
  return { id, path, comparison: compare(was as NamedTemplate, is as NamedTemplate, parameters) };
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
      { name: 'Type', fate: 'refused', loses: false, why: 'the type of a resource cannot change' } as const,
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

/** Changes of Metadata and DependsOn do not affect the physical resource. */
function reachesResource({ propertyUpdates, otherChanges }: ResourceDifference): boolean {
  const others = Object.keys(otherChanges).filter((name) => name !== 'Metadata' && name !== 'DependsOn');
  return Object.keys(propertyUpdates).length > 0 || others.length > 0;
}

/** Reads the construct path that the CDK adds with `pathMetadata`: `Stack/Shop/Box/Instance/Resource`. */
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
      return { name, fate: 'replaced', loses: false, why: 'may require replacement, according to the schema' };
    case ResourceImpact.NO_CHANGE:
      return { name, fate: 'changed', loses: false, why: 'not in the schema' };
    default:
      return { name, fate: 'changed', loses: false };
  }
}

const REPLACED = ' (replaced)';
const NEW_VERSION = ' (new version)';

/**
 * Returns the differences by logical id, including consequences: references to a replaced resource, and to the latest version of a
 * changed launch template, get a new value. fullDiff follows references too, but not inside `Fn::Join` and `Fn::Sub`.
 *
 * @param changed other references with a new value: parameters, and `Id.Outputs.Name` of nested stacks
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
