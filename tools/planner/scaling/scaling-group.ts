/** Metrics of the modeled policies. */
export type MetricKind =
  /** Mean CPU of the group, in percent. */
  | 'cpu'
  /** Requests per minute and healthy target of the load balancer. */
  | 'requestsPerTarget'
  /** Queued messages per instance. */
  | 'backlogPerInstance';

/** An Auto Scaling group with its policies and schedule. All times are in seconds. */
export interface ScalingGroup {
  /** Logical id in its template. */
  readonly id: string;
  readonly minSize: number;
  readonly maxSize: number;
  /** Initial size. @default minSize */
  readonly desiredCapacity?: number;
  /** Cooldown of simple scaling policies that do not set one. CloudFormation's default is 300. */
  readonly defaultCooldown: number;
  /** Warm-up of launches for which no policy sets one. @default defaultCooldown for policies, 0 for other launches */
  readonly defaultWarmup?: number;
  readonly healthCheckType: 'EC2' | 'ELB';
  /** Health check grace period. The API's default is 0. */
  readonly healthCheckGrace: number;
  /** Time until the load balancer reports healthy: interval x healthy threshold; 0 without a load balancer. */
  readonly healthCheckSeconds: number;
  /** Deregistration delay plus termination lifecycle hook: maximum billed time of a terminating instance. */
  readonly drainSeconds: number;
  readonly purchase: Purchase;
  /** Whether a replacement launches at the interruption notice of a spot instance instead of after its end. */
  readonly capacityRebalance: boolean;
  /** EC2 metrics every minute (detailed monitoring) instead of every five minutes (basic). */
  readonly detailedMonitoring: boolean;
  /** In order of preference; empty when not in the template. */
  readonly instanceTypes: readonly string[];
  readonly policies: readonly ScalingPolicy[];
  readonly schedule: readonly ScheduledAction[];
  /** Scaling features of the template that are not modeled, one sentence each. */
  readonly notModelled: readonly string[];
}

/** On-Demand part of a group; the rest is spot. */
export interface Purchase {
  readonly onDemandBase: number;
  /** Percentage above the base, 0 to 100. */
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
  /** @default the group's default warm-up, then its default cooldown */
  readonly warmup?: number;
}

export interface StepPolicy extends PolicyBase {
  readonly kind: 'step';
  readonly adjustmentType: AdjustmentType;
  /** Minimum number of instances that a percentage adds or removes. */
  readonly minAdjustmentMagnitude?: number;
  readonly steps: readonly StepAdjustment[];
  readonly alarms: readonly AlarmRule[];
  /** @default the group's default warm-up, then its default cooldown */
  readonly warmup?: number;
}

export interface SimplePolicy extends PolicyBase {
  readonly kind: 'simple';
  readonly adjustmentType: AdjustmentType;
  readonly minAdjustmentMagnitude?: number;
  readonly adjustment: number;
  /** @default the group's default cooldown */
  readonly cooldown?: number;
  readonly alarms: readonly AlarmRule[];
}

export interface PredictivePolicy extends PolicyBase {
  readonly kind: 'predictive';
  /** `ForecastOnly` changes nothing. */
  readonly mode: 'ForecastOnly' | 'ForecastAndScale';
  readonly metric: MetricKind;
  /** Target value of the metric per instance. */
  readonly target: number;
  /** Time before its hour at which a forecast takes effect. */
  readonly bufferTime: number;
  readonly maxCapacityBreach: 'HonorMaxCapacity' | 'IncreaseMaxCapacity';
  /** With `IncreaseMaxCapacity`: buffer above the forecast, in percent. */
  readonly maxCapacityBuffer: number;
}

export type AdjustmentType = 'ChangeInCapacity' | 'PercentChangeInCapacity' | 'ExactCapacity';

/** Bounds are relative to the alarm's threshold. A missing bound is infinite. */
export interface StepAdjustment {
  readonly lower?: number;
  readonly upper?: number;
  readonly adjustment: number;
}

export interface AlarmRule {
  readonly metric: MetricKind;
  readonly comparison: 'above' | 'at or above' | 'below' | 'at or below';
  readonly threshold: number;
  /** Seconds per data point, a multiple of 60. */
  readonly period: number;
  readonly statistic: 'Average' | 'Maximum' | 'Minimum';
  readonly evaluationPeriods: number;
  /** Breaching data points out of `evaluationPeriods`. */
  readonly datapointsToAlarm: number;
  readonly missing: 'missing' | 'ignore' | 'breaching' | 'notBreaching';
}

/** Sets size limits and desired capacity at a time. */
export interface ScheduledAction {
  readonly id: string;
  /** Cron expression with five fields. @default - runs once, at `start` */
  readonly recurrence?: string;
  /** IANA time zone. */
  readonly timeZone: string;
  /** Earliest and latest time, in Unix seconds. */
  readonly start?: number;
  readonly end?: number;
  readonly minSize?: number;
  readonly maxSize?: number;
  readonly desiredCapacity?: number;
}
