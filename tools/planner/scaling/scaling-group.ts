/** What the policies that are modelled look at. */
export type MetricKind =
  /** Mean CPU of the group, in percent. */
  | 'cpu'
  /** Requests of a minute for each healthy target of the load balancer. */
  | 'requestsPerTarget'
  /** Messages that wait in a queue for each instance. */
  | 'backlogPerInstance';

/** An Auto Scaling group with everything that decides on its size. All times are in seconds. */
export interface ScalingGroup {
  /** Logical id in its template. */
  readonly id: string;
  readonly minSize: number;
  readonly maxSize: number;
  /** Size that it starts with. @default minSize */
  readonly desiredCapacity?: number;
  /** What a simple policy without a cool-down of its own waits. CloudFormation's default is 300. */
  readonly defaultCooldown: number;
  /** Warm-up of instances that no policy with a warm-up of its own has started. @default defaultCooldown, for policies */
  readonly defaultWarmup?: number;
  readonly healthCheckType: 'EC2' | 'ELB';
  /** How long a new instance is left alone by health checks; 0 by the API's default. */
  readonly healthCheckGrace: number;
  /** What the balancer takes to call an instance healthy: interval x healthy threshold; 0 without a balancer. */
  readonly healthCheckSeconds: number;
  /** Deregistration delay and termination hook: how long an instance is billed after it was told to go, at most. */
  readonly drainSeconds: number;
  readonly purchase: Purchase;
  /** Whether a replacement starts when a spot instance gets its notice, and not when it is gone. */
  readonly capacityRebalance: boolean;
  /** EC2 metrics by the minute (detailed monitoring) or every five minutes (basic). */
  readonly detailedMonitoring: boolean;
  /** The preferred one first; empty when the template does not say. */
  readonly instanceTypes: readonly string[];
  readonly policies: readonly ScalingPolicy[];
  readonly schedule: readonly ScheduledAction[];
  /** What the template says of scaling that is not modelled, one sentence each. */
  readonly notModelled: readonly string[];
}

/** How much of a group is on demand; what is left is spot. */
export interface Purchase {
  readonly onDemandBase: number;
  /** Of what is above the base, 0 to 100. */
  readonly onDemandPercentage: number;
}

export type ScalingPolicy = TargetTrackingPolicy | StepPolicy | SimplePolicy | PredictivePolicy;

interface PolicyBase {
  readonly id: string;
}

export interface TargetTrackingPolicy extends PolicyBase {
  readonly kind: 'target tracking';
  readonly metric: MetricKind;
  readonly target: number;
  readonly disableScaleIn: boolean;
  /** @default the group's default warm-up, then its default cool-down */
  readonly warmup?: number;
}

export interface StepPolicy extends PolicyBase {
  readonly kind: 'step';
  readonly adjustmentType: AdjustmentType;
  /** Fewest instances that a change in percent adds or removes. */
  readonly minAdjustmentMagnitude?: number;
  readonly steps: readonly StepAdjustment[];
  readonly alarms: readonly AlarmRule[];
  /** @default the group's default warm-up, then its default cool-down */
  readonly warmup?: number;
}

export interface SimplePolicy extends PolicyBase {
  readonly kind: 'simple';
  readonly adjustmentType: AdjustmentType;
  readonly minAdjustmentMagnitude?: number;
  readonly adjustment: number;
  /** @default the group's default cool-down */
  readonly cooldown?: number;
  readonly alarms: readonly AlarmRule[];
}

export interface PredictivePolicy extends PolicyBase {
  readonly kind: 'predictive';
  /** With `ForecastOnly` it changes nothing. */
  readonly mode: 'ForecastOnly' | 'ForecastAndScale';
  readonly metric: MetricKind;
  /** Value of the metric that an instance is to have. */
  readonly target: number;
  /** How long before its hour a forecast holds. */
  readonly bufferTime: number;
  readonly maxCapacityBreach: 'HonorMaxCapacity' | 'IncreaseMaxCapacity';
  /** With `IncreaseMaxCapacity`: room above the forecast, in percent. */
  readonly maxCapacityBuffer: number;
}

export type AdjustmentType = 'ChangeInCapacity' | 'PercentChangeInCapacity' | 'ExactCapacity';

/** Bounds are differences from the alarm's threshold; one that is missing is infinite. */
export interface StepAdjustment {
  readonly lower?: number;
  readonly upper?: number;
  readonly adjustment: number;
}

export interface AlarmRule {
  readonly metric: MetricKind;
  readonly comparison: 'above' | 'at or above' | 'below' | 'at or below';
  readonly threshold: number;
  /** Of one point, in whole minutes of seconds. */
  readonly period: number;
  readonly statistic: 'Average' | 'Maximum' | 'Minimum';
  readonly evaluationPeriods: number;
  /** Points of `evaluationPeriods` that must breach. */
  readonly datapointsToAlarm: number;
  readonly missing: 'missing' | 'ignore' | 'breaching' | 'notBreaching';
}

/** Sets what it names, by the clock. */
export interface ScheduledAction {
  readonly id: string;
  /** Five fields of cron; without it the action happens once, at `start`. */
  readonly recurrence?: string;
  /** IANA name. */
  readonly timeZone: string;
  /** Unix seconds: not before, and not after. */
  readonly start?: number;
  readonly end?: number;
  readonly minSize?: number;
  readonly maxSize?: number;
  readonly desiredCapacity?: number;
}
