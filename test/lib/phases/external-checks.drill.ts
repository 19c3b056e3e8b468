import { findingsOf, lint } from '../../support/checks';
import { describeWith } from '../../support/needs';
import { combinedFarmVariants, elasticVariants, farmVariants, otherVariants, variants } from '../../support/stack';

// Each synth without a domain prints the warning about plain HTTP.
jest.spyOn(console, 'error').mockImplementation();

test.each(farmVariants)(
  'cdk-nag and the validation of the CDK find nothing without a written reason in $id $name',
  (variant) => {
    expect(findingsOf(variant, true)).toEqual({ findings: [], failure: undefined });
  },
);

test.each(otherVariants)('the validation of the CDK finds nothing in $id $name', (variant) => {
  expect(findingsOf(variant, false)).toEqual({ findings: [], failure: undefined });
});

describeWith('cfn-lint', 'cfn-lint', () => {
  test('has no error and no warning in any variant', () => {
    expect(lint([...variants, ...combinedFarmVariants, ...elasticVariants])).toEqual({ stdout: '', status: 0 });
  });
});
