/** A resource in a CloudFormation template. */
export interface Resource {
  readonly Type: string;
  // biome-ignore lint/suspicious/noExplicitAny: properties have no common type
  readonly Properties?: Readonly<Record<string, any>>;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
  readonly Condition?: string;
  readonly Metadata?: Readonly<Record<string, unknown>>;
}

export interface Output {
  readonly Value: unknown;
  readonly Export?: { readonly Name: unknown };
}

/** What is read of a CloudFormation template. */
export interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs?: Readonly<Record<string, Output>>;
  readonly Parameters?: Readonly<Record<string, { readonly Type: string; readonly Default?: unknown }>>;
  readonly Conditions?: Readonly<Record<string, unknown>>;
}

/** A template with what it is called in a report. */
export interface NamedTemplate {
  readonly name: string;
  readonly template: Template;
  /** Path of the construct, by logical id, where that is known. */
  readonly paths?: ReadonlyMap<string, string>;
}

/** Rewrites every reference of a value: `Ref`, `Fn::GetAtt`, `${…}` in `Fn::Sub`. */
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
