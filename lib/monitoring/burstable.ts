import type { InstanceType } from 'aws-cdk-lib/aws-ec2';

/** Whether the instance type is burstable. Only burstable types publish CPU credit metrics. */
export function isBurstable(instanceType: InstanceType): boolean {
  return instanceType.toString().startsWith('t');
}
