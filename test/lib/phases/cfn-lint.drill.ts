import { lint } from '../../support/checks';
import { describeWith } from '../../support/needs';
import { combinedFarmVariants, elasticVariants, variants } from '../../support/stack';

describeWith('cfn-lint', 'cfn-lint', () => {
  test('has no error and no warning in any variant', () => {
    expect(lint([...variants, ...combinedFarmVariants, ...elasticVariants])).toEqual({ stdout: '', status: 0 });
  });
});
