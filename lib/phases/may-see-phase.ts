import { Aws } from 'aws-cdk-lib';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';

/**
 * Lets a server ask which phase the stack was in before this deploy: its output `Phase` still says so while the deploy goes
 * on. `app/host/configure.sh` refuses a step that would leave the orders behind.
 */
export function maySeePhase(role: Role): void {
  role.addToPrincipalPolicy(
    new PolicyStatement({ actions: ['cloudformation:DescribeStacks'], resources: [Aws.STACK_ID] }),
  );
}
