/** A CloudFormation template, as it is in its file. */
export interface Template {
  readonly Resources: Readonly<Record<string, TemplateResource>>;
  readonly Parameters?: Readonly<Record<string, { readonly Type: string; readonly Default?: unknown }>>;
  readonly Mappings?: Readonly<Record<string, unknown>>;
  readonly Conditions?: Readonly<Record<string, unknown>>;
  readonly Outputs?: Readonly<Record<string, TemplateOutput>>;
}

/** A template with what is known around it. */
export interface StackTemplate {
  readonly template: Template;
  /** Path of the construct below its stack, such as `Shop/Box/Instance`, by logical id, where it is known. */
  readonly paths?: ReadonlyMap<string, string>;
  /** Its nested stacks by logical id. */
  readonly nested?: ReadonlyMap<string, StackTemplate | UnreadableStack>;
}

/** A nested stack whose template cannot be read. */
export interface UnreadableStack {
  /** Why, in words. */
  readonly problem: string;
}

/** The type of a nested stack in its parent. */
export const NESTED_STACK = 'AWS::CloudFormation::Stack';

/** The template of a nested stack, or why there is none. */
export function nestedStackIn({ nested }: Pick<StackTemplate, 'nested'>, id: string): StackTemplate | UnreadableStack {
  return nested?.get(id) ?? { problem: 'its template is not at hand' };
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
  // biome-ignore lint/suspicious/noExplicitAny: whatever the resource type takes
  readonly Properties?: Readonly<Record<string, any>>;
  readonly Metadata?: Readonly<Record<string, unknown>>;
}
