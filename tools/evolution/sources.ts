import { type AssembledStack, readStacks, type SynthesizeOptions, synthesize } from '../cloudformation/assembly';
import type { NamedTemplate } from './references';

/** Synthesizes the phases of this project. Returns their templates by stack id. */
export async function synthesizePhases(options: SynthesizeOptions): Promise<ReadonlyMap<string, NamedTemplate>> {
  const stacks = await synthesize(options);
  return new Map(stacks.map((stack) => [stack.id, named(stack)]));
}

/**
 * Reads a template file, or all templates in a cloud assembly (`cdk.out`). Each template's name is its stack id.
 *
 * @param option name of the option that holds the path, for error messages
 * @throws UsageError if the path cannot be read
 */
export function readTemplates(path: string, option: string): NamedTemplate[] {
  return readStacks(path, { option }).map(named);
}

function named({ id, template, paths, nested }: AssembledStack): NamedTemplate {
  return { name: id, template, paths, nested };
}
