import type { AssembledStack, SynthesizeOptions } from '../../tools/cloudformation/assembly';
import { shared } from './shared';

const assembly = jest.requireActual<typeof import('../../tools/cloudformation/assembly')>(
  '../../tools/cloudformation/assembly',
);

/**
 * `tools/cloudformation/assembly.ts`, whose `synthesize` runs the CDK CLI once for each set of options in all test files together.
 * For `jest.mock`.
 */
module.exports = {
  ...assembly,
  synthesize: ({ context = [], region }: SynthesizeOptions = {}): Promise<AssembledStack[]> =>
    shared(`synth ${JSON.stringify({ context, region })}`, () => assembly.synthesize({ context, region })),
};
