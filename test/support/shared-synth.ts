import type { AssembledStack, SynthesizeOptions } from '../../tools/cloudformation/assembly';
import { shared } from './shared';

const assembly = jest.requireActual<typeof import('../../tools/cloudformation/assembly')>(
  '../../tools/cloudformation/assembly',
);

/**
 * Replaces `tools/cloudformation/assembly.ts` in `jest.mock`. `synthesize` runs the CDK CLI once per context across all test files.
 * The phases are environment-agnostic, so the region does not affect a template.
 */
module.exports = {
  ...assembly,
  synthesize: ({ context = [], region }: SynthesizeOptions = {}): Promise<AssembledStack[]> =>
    shared(`synth ${JSON.stringify(context)}`, () => assembly.synthesize({ context, region })),
};
