/** How far a figure can be trusted: AWS documents it, event logs show it, or it is this project's assumption. */
export type Mark = 'doc' | 'seen' | 'assumed';

/** What differs between the services that scale: none of it is in a template. Times are in seconds. */
export interface ScalingProfile {
  readonly name: 'ec2' | 'ecs';
  /** Target tracking scales in below this share of its target. */
  readonly scaleInShare: number;
  /** Points of a minute, all of which must be beyond the bound. */
  readonly scaleOutPoints: number;
  readonly scaleInPoints: number;
  /** Share of the group that target tracking removes in a minute at most, one server at least. */
  readonly maxScaleInShare: number;
  /** From an alarm to the change of the desired capacity. */
  readonly actionDelay: number;
  /** From the start of an instance or task until it is in service in its group; the app starts after that. */
  readonly boot: number;
  /** Of `boot`. */
  readonly bootMark: Mark;
}

/**
 * Bounds and delays as event logs of both services show them; AWS documents none of them. It says that target tracking scales
 * in "more gradually" than out and not how: `scaleInAtMost` is this project's assumption.
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
