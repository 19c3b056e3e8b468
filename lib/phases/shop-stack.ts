import { Aws, Fn, Stack } from 'aws-cdk-lib';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';

export interface ShopStackProps {
  /**
   * Name of the CloudFormation stack. All phases have the same one, so that a deploy of the next phase updates the running
   * stack. Another name is another shop.
   *
   * @default 'shop'
   */
  readonly stackName?: string;

  /**
   * Reason to switch off termination protection. It is recorded in the template's metadata.
   *
   * @default - termination protection is on
   */
  readonly unprotectedBecause?: string;

  /**
   * Region of a stack that only works in one.
   *
   * @default - the region of the deploy
   */
  readonly region?: string;
}

/**
 * The stack of a phase. It is environment-agnostic, so that synth needs no credentials, and still has three availability
 * zones: the first three of the region of the deploy.
 *
 * No tag names the phase: CloudFormation would change it on every resource at each transition, and some resources fail to
 * update a tag (https://github.com/aws/aws-cdk/issues/34629).
 */
export class ShopStack extends Stack {
  constructor(scope: Construct, id: string, props: ShopStackProps = {}) {
    super(scope, id, {
      stackName: props.stackName ?? 'shop',
      env: props.region ? { region: props.region } : undefined,
      terminationProtection: !props.unprotectedBecause,
      tags: { project: 'scaling-phases' },
    });
    if (props.unprotectedBecause) this.addMetadata('UnprotectedBecause', props.unprotectedBecause);
  }

  override get availabilityZones(): string[] {
    return [0, 1, 2].map((index) => Fn.select(index, Fn.getAzs()));
  }
}

/**
 * Lets a server read the stack's output `Phase`, which keeps its old value until a deploy ends. From it
 * `app/host/configure.sh` sees which phase the shop comes from, and refuses a transition that would leave the orders behind.
 */
export function grantDescribeStack(role: Role): void {
  role.addToPrincipalPolicy(
    new PolicyStatement({ actions: ['cloudformation:DescribeStacks'], resources: [Aws.STACK_ID] }),
  );
}
