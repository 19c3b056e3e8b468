import { CfnOutput } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Box } from '../../tiers/box';
import type { Fleet } from '../../tiers/fleet';

/** Adds stack outputs whose names do not depend on the construct path. */
export function addOutputs(scope: Construct, outputs: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(outputs)) {
    new CfnOutput(scope, name, { value }).overrideLogicalId(name);
  }
}

/** The command that opens a shell on the instance. */
export function boxSession(box: Box): string {
  return `aws ssm start-session --target ${box.instanceId}`;
}

/** The command that opens a shell on one server of the fleet. */
export function fleetSession(fleet: Fleet): string {
  const first = `--query 'AutoScalingGroups[0].Instances[0].InstanceId' --output text`;
  return `aws ssm start-session --target $(aws autoscaling describe-auto-scaling-groups --auto-scaling-group-names ${fleet.group.ref} ${first})`;
}
