import { Aws, Fn, Stack } from 'aws-cdk-lib';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';

export interface ShopStackProps {
  /**
   * Name of the CloudFormation stack. All phases carry the same one, so that a deploy of the next phase changes the
   * running stack; another name is another shop.
   *
   * @default 'shop'
   */
  readonly stackName?: string;

  /**
   * Why this stack may be deleted by a single command. The reason ends up in the template's metadata.
   *
   * @default - the stack is protected from deletion
   */
  readonly unprotectedBecause?: string;

  /**
   * Region of a stack that must be in one.
   *
   * @default - wherever it is deployed
   */
  readonly region?: string;
}

/**
 * The stack that a phase lives in. It knows neither account nor region, so that synth needs no credentials, and still has
 * three availability zones: the first three of wherever it is deployed.
 *
 * It has one tag, and none that names the phase: CloudFormation would put it on every resource at each step, and there
 * are resources on which a changed tag fails (https://github.com/aws/aws-cdk/issues/34629).
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
