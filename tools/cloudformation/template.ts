/** A CloudFormation template as written in its file. */
export interface Template {
  readonly Resources: Readonly<Record<string, TemplateResource>>;
  readonly Parameters?: Readonly<Record<string, { readonly Type: string; readonly Default?: unknown }>>;
  readonly Mappings?: Readonly<Record<string, unknown>>;
  readonly Conditions?: Readonly<Record<string, unknown>>;
  readonly Outputs?: Readonly<Record<string, TemplateOutput>>;
}

/** A template with its construct paths and nested stacks. */
export interface StackTemplate {
  readonly template: Template;
  /** Construct paths relative to the stack, such as `Shop/Box/Instance`, by logical id. */
  readonly paths?: ReadonlyMap<string, string>;
  /** Nested stacks by logical id. */
  readonly nested?: ReadonlyMap<string, StackTemplate | UnreadableStack>;
}

/** A nested stack whose template cannot be read. */
export interface UnreadableStack {
  /** Reason, for messages. */
  readonly problem: string;
}

/** Resource type of a nested stack. */
export const NESTED_STACK = 'AWS::CloudFormation::Stack';

/** Returns the template of a nested stack, or the reason why it cannot be read. */
export function nestedStackIn({ nested }: Pick<StackTemplate, 'nested'>, id: string): StackTemplate | UnreadableStack {
  return nested?.get(id) ?? { problem: 'its template is missing' };
}

/** Returns a resource type without its prefix: `EC2::Instance`. */
export function shortType(type: string): string {
  return type.replace(/^AWS::/, '');
}

export interface TemplateOutput {
  readonly Value: unknown;
  readonly Export?: { readonly Name: unknown };
}

export interface TemplateResource {
  readonly Type: string;
  readonly Condition?: string;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
  // biome-ignore lint/suspicious/noExplicitAny: the properties depend on the resource type
  readonly Properties?: Readonly<Record<string, any>>;
  readonly Metadata?: Readonly<Record<string, unknown>>;
}
