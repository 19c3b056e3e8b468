import type { InstanceType } from 'aws-cdk-lib/aws-ec2';

/** Whether the type earns CPU credits; only then does it have the credit metrics. */
export function isBurstable(instanceType: InstanceType): boolean {
  return instanceType.toString().startsWith('t');
}
