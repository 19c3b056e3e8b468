import { type AssembledStack, readStacks, type SynthesizeOptions, synthesize } from '../cloudformation/assembly';
import type { NamedTemplate } from './template';

/** The templates of this project's phases, by the id of their stack. */
export async function synthesizePhases(options: SynthesizeOptions): Promise<ReadonlyMap<string, NamedTemplate>> {
  const stacks = await synthesize(options);
  return new Map(stacks.map((stack) => [stack.id, named(stack)]));
}

/**
 * The templates in a file, or in the output folder of `cdk synth`, each with the id of its stack as its name.
 *
 * @param option that the path was given with, for the error
 * @throws UsageError when there is no such thing
 */
export function readTemplates(path: string, option: string): NamedTemplate[] {
  return readStacks(path, { option }).map(named);
}

function named({ id, template, paths, nested }: AssembledStack): NamedTemplate {
  return { name: id, template, paths, nested };
}
