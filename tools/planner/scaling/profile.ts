/** Evidence for a value: AWS documentation, event logs, or an assumption of this project. */
export type Mark = 'doc' | 'seen' | 'assumed';

/** Scaling behavior of a service that templates do not contain. Times are in seconds. */
export interface ScalingProfile {
  readonly name: 'ec2' | 'ecs';
  /** Target tracking scales in below this share of the target. */
  readonly scaleInShare: number;
  /** One-minute data points that must all breach. */
  readonly scaleOutPoints: number;
  readonly scaleInPoints: number;
  /** Maximum share of the group that target tracking removes per minute, at least one server. */
  readonly maxScaleInShare: number;
  /** Delay from an alarm to the change of the desired capacity. */
  readonly actionDelay: number;
  /** Time from launch until an instance or task is in service. The app starts after that. */
  readonly boot: number;
  /** Evidence for `boot`. */
  readonly bootMark: Mark;
}

/**
 * Thresholds and delays from event logs of both services; AWS does not document them. AWS says that target tracking scales
 * in "more gradually" than out, without figures: `maxScaleInShare` is an assumption.
 */
export const profiles: Readonly<Record<ScalingProfile['name'], ScalingProfile>> = {
  ec2: {
    name: 'ec2',
    scaleInShare: 0.7,
    scaleOutPoints: 3,
    scaleInPoints: 15,
    maxScaleInShare: 0.1,
    actionDelay: 20,
    boot: 26,
    bootMark: 'seen',
  },
  ecs: {
    name: 'ecs',
    scaleInShare: 0.9,
    scaleOutPoints: 3,
    scaleInPoints: 15,
    maxScaleInShare: 0.1,
    actionDelay: 20,
    boot: 30,
    bootMark: 'assumed',
  },
};
