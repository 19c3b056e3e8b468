import { synthesize } from '../../cloudformation/assembly';
import type { Template } from '../../cloudformation/template';

/** The template of a phase as `cdk synth` makes it. */
export async function synthesizedTemplate(phase: number): Promise<Template> {
  const stack = (await synthesize()).find(({ id }) => id === `phase-${phase}`);
  if (stack === undefined) throw new Error(`cdk synth made no phase-${phase}`);
  return stack.template;
}
