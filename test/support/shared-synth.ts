import type { AssembledStack, SynthesizeOptions } from '../../tools/cloudformation/assembly';
import { shared } from './shared';

const assembly = jest.requireActual<typeof import('../../tools/cloudformation/assembly')>(
  '../../tools/cloudformation/assembly',
);

/**
 * `tools/cloudformation/assembly.ts`, whose `synthesize` runs the CDK CLI once for each context in all test files together. The
 * phases are environment-agnostic, so the region changes no template. For `jest.mock`.
 */
module.exports = {
  ...assembly,
  synthesize: ({ context = [], region }: SynthesizeOptions = {}): Promise<AssembledStack[]> =>
    shared(`synth ${JSON.stringify(context)}`, () => assembly.synthesize({ context, region })),
};
