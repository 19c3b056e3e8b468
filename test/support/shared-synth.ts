import type { AssembledStack, SynthesizeOptions } from '../../tools/cloudformation/assembly';
import { shared } from './shared';

const assembly = jest.requireActual<typeof import('../../tools/cloudformation/assembly')>(
  '../../tools/cloudformation/assembly',
);

/**
 * Replaces `tools/cloudformation/assembly.ts` in `jest.mock`. `synthesize` runs the CDK CLI once per set of options across all
 * test files.
 */
module.exports = {
  ...assembly,
  synthesize: ({ context = [], region }: SynthesizeOptions = {}): Promise<AssembledStack[]> =>
    shared(`synth ${JSON.stringify({ context, region })}`, () => assembly.synthesize({ context, region })),
};
