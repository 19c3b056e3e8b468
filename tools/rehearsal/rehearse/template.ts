import { synthesize } from '../../cloudformation/assembly';
import type { Template } from '../../cloudformation/template';

/** Synthesizes the template of a phase. */
export async function synthesizedTemplate(phase: number): Promise<Template> {
  const stack = (await synthesize()).find(({ id }) => id === `phase-${phase}`);
  if (stack === undefined) throw new Error(`cdk synth did not produce a stack phase-${phase}`);
  return stack.template;
}
