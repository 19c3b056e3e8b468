import { GroupController, type Observed } from '../../../../tools/planner/scaling/group-controller';
import { profiles } from '../../../../tools/planner/scaling/profile';
import type { AlarmRule, ScalingGroup, StepPolicy } from '../../../../tools/planner/scaling/scaling-group';

/** A group of On-Demand servers without policies. */
export const GROUP: ScalingGroup = {
  id: 'Group',
  minSize: 1,
  maxSize: 1000,
  defaultCooldown: 300,
  healthCheckType: 'EC2',
  healthCheckGrace: 0,
  healthCheckSeconds: 0,
  drainSeconds: 0,
  purchase: { onDemandBase: 0, onDemandPercentage: 100 },
  capacityRebalance: false,
  detailedMonitoring: true,
  instanceTypes: ['c7g.large'],
  policies: [],
  schedule: [],
  notModelled: [],
};

/** An alarm on one CPU data point. */
export const onCpu = (comparison: AlarmRule['comparison'], threshold: number): AlarmRule => ({
  metric: 'cpu',
  comparison,
  threshold,
  period: 60,
  statistic: 'Average',
  evaluationPeriods: 1,
  datapointsToAlarm: 1,
  missing: 'missing',
});

/** The example of the EC2 Auto Scaling user guide: steps of 10% and 30% around 50. */
export const GUIDE: readonly StepPolicy[] = [
  {
    kind: 'step',
    id: 'Out',
    adjustmentType: 'PercentChangeInCapacity',
    steps: [
      { lower: 0, upper: 10, adjustment: 0 },
      { lower: 10, upper: 20, adjustment: 10 },
      { lower: 20, adjustment: 30 },
    ],
    alarms: [onCpu('above', 50)],
    warmup: 0,
  },
  {
    kind: 'step',
    id: 'In',
    adjustmentType: 'PercentChangeInCapacity',
    steps: [
      { lower: -10, upper: 0, adjustment: 0 },
      { lower: -20, upper: -10, adjustment: -10 },
      { upper: -20, adjustment: -30 },
    ],
    alarms: [onCpu('below', 50)],
    warmup: 0,
  },
];

/** Runs a controller on one observation per minute, with servers that launch immediately. Returns the desired capacities. */
export function follow(
  group: ScalingGroup,
  desired: number,
  metrics: readonly Partial<Observed>[],
  profile: 'ec2' | 'ecs' = 'ec2',
): number[] {
  const controller = new GroupController(group, { profile: profiles[profile], start: 0, desired });
  return metrics.map((observed, minute) => {
    controller.step((minute + 1) * 60, { inService: controller.desired, ...observed });
    return controller.desired;
  });
}

/** Repeats an observation for `count` minutes. */
export const minutes = (count: number, observed: Partial<Observed>): Partial<Observed>[] =>
  Array.from({ length: count }, () => observed);
