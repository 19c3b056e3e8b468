import { ResolvedTemplate, type ResolveOptions } from '../../cloudformation/resolve';
import { NESTED_STACK, nestedStackIn, type StackTemplate } from '../../cloudformation/template';

/** A stack or one of its nested stacks, with parameters resolved. */
export interface Member {
  /** Path of nested stacks: `Jobs/`; empty for the root stack. */
  readonly prefix: string;
  readonly template: ResolvedTemplate;
  readonly paths: StackTemplate['paths'];
  /** Reasons why nested stacks cannot be read, by logical id. */
  readonly unread: ReadonlyMap<string, string>;
}

/** Lists a stack and its nested stacks, and resolves the parameters that parents pass. */
export function membersOf(stack: StackTemplate, options: ResolveOptions, prefix = ''): Member[] {
  const template = new ResolvedTemplate(stack.template, options);
  const unread = new Map<string, string>();
  const inside = [...template.resources].flatMap(([id, { Type, Properties }]) => {
    if (Type !== NESTED_STACK) return [];
    const nested = nestedStackIn(stack, id);
    if ('problem' in nested) {
      unread.set(id, nested.problem);
      return [];
    }
    const name = stack.paths?.get(id) ?? id;
    return membersOf(nested, { ...options, parameters: nestedParameters(Properties?.Parameters) }, `${prefix}${name}/`);
  });
  return [{ prefix, template, paths: stack.paths, unread }, ...inside];
}

/** Unwraps a joined list: its length is known even when its elements are not. */
function nestedParameters(parameters: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => {
      const { 'Fn::Join': joined } = Object(value) as { 'Fn::Join'?: readonly [string, unknown] };
      return [name, joined?.[0] === ',' ? joined[1] : value];
    }),
  );
}
