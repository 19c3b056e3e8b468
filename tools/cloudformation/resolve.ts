import type { Template, TemplateResource } from './template';

export interface ResolveOptions {
  readonly region: string;
  /**
   * Values of the template's parameters. An object is a value that the parent stack could not resolve; it stays unresolved.
   *
   * @default - the defaults of the parameters
   */
  readonly parameters?: Readonly<Record<string, unknown>>;
}

// biome-ignore lint/suspicious/noExplicitAny: template values have no common type
type Value = any;

/**
 * A template whose intrinsic functions are resolved as far as possible without a deployment: parameters, conditions and mappings.
 * Values that only CloudFormation has, such as ARNs and imports, stay unresolved.
 */
export class ResolvedTemplate {
  readonly resources: ReadonlyMap<string, TemplateResource>;
  readonly #template: Template;
  readonly #options: ResolveOptions;

  constructor(template: Template, options: ResolveOptions) {
    this.#template = template;
    this.#options = options;
    // Unresolved conditions count as true: one resource too many on the bill is better than one too few.
    this.resources = new Map(
      Object.entries(template.Resources)
        .filter(([, { Condition }]) => Condition === undefined || this.#condition(Condition) !== false)
        .map(([id, resource]) => [id, { ...resource, Properties: this.resolve(resource.Properties) ?? {} }]),
    );
  }

  /** Returns the resource that a `Ref` or `Fn::GetAtt` references. */
  target(value: unknown): { id: string; resource: TemplateResource } | undefined {
    const id = referencedId(value);
    const resource = id === undefined ? undefined : this.resources.get(id);
    return id !== undefined && resource ? { id, resource } : undefined;
  }

  resolve(value: Value): Value {
    if (Array.isArray(value)) return value.map((one) => this.resolve(one)).filter((one) => one !== undefined);
    if (typeof value !== 'object' || value === null) return value;
    const [name] = Object.keys(value);
    if (name !== undefined && isIntrinsic(value)) return this.#call(name, value[name], value);
    const entries = Object.entries(value).map(([key, one]) => [key, this.resolve(one)]);
    return Object.fromEntries(entries.filter(([, one]) => one !== undefined));
  }

  /** @param original returned if the call cannot be resolved */
  #call(name: string, given: Value, original: Value): Value {
    const args = name === 'Ref' || name === 'Fn::If' ? given : this.resolve(given);
    switch (name) {
      case 'Ref':
        return this.#ref(args, original);
      case 'Fn::If': {
        const holds = this.#condition(args[0]);
        return this.resolve(holds === false ? args[2] : args[1]);
      }
      case 'Fn::FindInMap': {
        const found = (this.#template.Mappings as Value)?.[args[0]]?.[args[1]]?.[args[2]];
        return found === undefined ? (args[3]?.DefaultValue ?? original) : found;
      }
      case 'Fn::Select':
        return Array.isArray(args[1]) ? (args[1][Number(args[0])] ?? original) : original;
      case 'Fn::Split':
        return typeof args[1] === 'string' ? args[1].split(args[0]) : original;
      case 'Fn::Join':
        return Array.isArray(args[1]) && args[1].every(isScalar) ? args[1].join(args[0]) : original;
      case 'Fn::Sub':
        return this.#substitute(args, original);
      case 'Fn::GetAZs':
        return ['a', 'b', 'c'].map((zone) => `${this.#options.region}${zone}`);
      case 'Fn::Base64':
        return isScalar(args) ? args : original;
      case 'Fn::Length':
        return Array.isArray(args) ? args.length : original;
      default:
        return original;
    }
  }

  #ref(id: string, original: Value): Value {
    if (id === 'AWS::Region') return this.#options.region;
    if (id === 'AWS::Partition') return 'aws';
    if (id === 'AWS::URLSuffix') return 'amazonaws.com';
    if (id === 'AWS::NoValue') return undefined;
    const parameter = this.#template.Parameters?.[id];
    const value = this.#options.parameters?.[id] ?? parameter?.Default;
    // The default of such a parameter is the name of a Systems Manager parameter, not its value.
    const known = (isScalar(value) || Array.isArray(value)) && !parameter?.Type.startsWith('AWS::SSM::Parameter');
    if (!known) return original;
    return isList(parameter?.Type) && isScalar(value)
      ? String(value)
          .split(',')
          .map((one) => one.trim())
      : value;
  }

  #substitute(args: Value, original: Value): Value {
    const [text, values] = Array.isArray(args) ? args : [args, {}];
    let known = true;
    const done = String(text).replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
      if (literal) return `\${${name}}`;
      const value = values[name] ?? this.#ref(name, undefined);
      if (!isScalar(value)) known = false;
      return String(value);
    });
    return known ? done : original;
  }

  /** Returns `undefined` if the condition depends on unresolved values. */
  #condition(condition: Value): boolean | undefined {
    if (typeof condition === 'string') return this.#condition(this.#template.Conditions?.[condition]);
    if (typeof condition !== 'object' || condition === null) return undefined;
    const [[name, args] = []] = Object.entries(condition) as [string, Value][];
    switch (name) {
      case 'Condition':
        return this.#condition(args);
      case 'Fn::Equals': {
        const [one, other] = this.resolve(args);
        return isScalar(one) && isScalar(other) ? String(one) === String(other) : undefined;
      }
      case 'Fn::Not': {
        const inner = this.#condition(args[0]);
        return inner === undefined ? undefined : !inner;
      }
      case 'Fn::And':
        return this.#combine(args, false);
      case 'Fn::Or':
        return this.#combine(args, true);
      default:
        return undefined;
    }
  }

  /** @param decisive the outcome that a single part determines: false for And, true for Or */
  #combine(parts: readonly Value[], decisive: boolean): boolean | undefined {
    const outcomes = parts.map((part) => this.#condition(part));
    if (outcomes.includes(decisive)) return decisive;
    return outcomes.includes(undefined) ? undefined : !decisive;
  }
}

/** Returns the logical id in a `Ref` or `Fn::GetAtt`. */
export function referencedId(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { Ref, 'Fn::GetAtt': attribute } = value as { Ref?: string; 'Fn::GetAtt'?: string | readonly string[] };
  return Ref ?? (typeof attribute === 'string' ? attribute.split('.')[0] : attribute?.[0]);
}

/** Returns the logical ids of all references inside a value. */
export function referencedIds(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const id = referencedId(value);
  // Ids with this prefix are pseudo parameters, such as AWS::Region.
  if (id !== undefined) return id.startsWith('AWS::') ? [] : [id];
  return Object.values(value).flatMap(referencedIds);
}

function isIntrinsic(value: object): boolean {
  const keys = Object.keys(value);
  return keys.length === 1 && (keys[0] === 'Ref' || keys[0]?.startsWith('Fn::') === true);
}

function isScalar(value: unknown): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

function isList(type: string | undefined): boolean {
  return type === 'CommaDelimitedList' || type?.startsWith('List<') === true;
}
