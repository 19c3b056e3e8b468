import type { StackTemplate } from '../cloudformation/template';

/** A template with its name in reports. */
export interface NamedTemplate extends StackTemplate {
  readonly name: string;
}

/** Rewrites all references in a value: `Ref`, `Fn::GetAtt`, and `${…}` in `Fn::Sub`. */
export function mapReferences(
  value: unknown,
  rename: (reference: { readonly target: string; readonly attribute?: string }) => string,
): unknown {
  const map = (one: unknown): unknown => mapReferences(one, rename);
  if (Array.isArray(value)) return value.map(map);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [key, inner] = entries[0] ?? [];
  if (entries.length === 1 && key === 'Ref') return { Ref: rename({ target: String(inner) }) };
  if (entries.length === 1 && key === 'Fn::GetAtt') {
    const [target = '', ...rest] = typeof inner === 'string' ? inner.split('.') : (inner as string[]);
    const attribute = rest.join('.');
    return { 'Fn::GetAtt': [rename({ target, attribute }), attribute] };
  }
  if (entries.length === 1 && key === 'Fn::Sub') {
    const [text, values] = (Array.isArray(inner) ? inner : [inner]) as [string, Record<string, unknown>?];
    const renamed = text.replace(/\$\{([^!}][^}]*)\}/g, (whole, name: string) => {
      if (values && name in values) return whole;
      const [target = '', ...rest] = name.split('.');
      const to = rename({ target, attribute: rest.join('.') || undefined });
      return `\${${[to, ...rest].join('.')}}`;
    });
    return { 'Fn::Sub': values ? [renamed, map(values)] : renamed };
  }
  return Object.fromEntries(entries.map(([name, one]) => [name, map(one)]));
}
