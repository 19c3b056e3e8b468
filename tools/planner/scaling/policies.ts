import { Alarm } from './alarm';
import { maxWithForecast, proportional } from './capacity';
import { SeasonalNaive } from './forecast';
import type { ScalingProfile } from './profile';
import type {
  AlarmRule,
  MetricKind,
  PredictivePolicy,
  SimplePolicy,
  StepPolicy,
  TargetTrackingPolicy,
} from './scaling-group';

/** Metrics of one minute. */
export type Metrics = Readonly<Record<MetricKind, number | undefined>>;

/** A target tracking policy with the two alarms that Auto Scaling creates for it. */
export class TargetTracking {
  readonly high: Alarm;
  readonly low: Alarm;

  constructor(
    readonly policy: TargetTrackingPolicy,
    profile: ScalingProfile,
  ) {
    const alarm = (rule: Pick<AlarmRule, 'comparison' | 'threshold'>, points: number) =>
      new Alarm({
        ...rule,
        metric: policy.metric,
        period: 60,
        statistic: 'Average',
        evaluationPeriods: points,
        datapointsToAlarm: points,
        missing: 'missing',
      });
    this.high = alarm({ comparison: 'above', threshold: policy.target }, profile.scaleOutPoints);
    this.low = alarm({ comparison: 'below', threshold: policy.target * profile.scaleInShare }, profile.scaleInPoints);
  }

  push(metrics: Metrics): void {
    const value = metrics[this.policy.metric];
    this.high.push(value);
    this.low.push(value);
  }
}

/** A policy that alarms of the template invoke. */
export class AlarmDriven<P extends StepPolicy | SimplePolicy> {
  readonly alarms: readonly Alarm[];

  constructor(readonly policy: P) {
    this.alarms = policy.alarms.map((rule) => new Alarm(rule));
  }

  push(metrics: Metrics): void {
    for (const alarm of this.alarms) alarm.push(metrics[alarm.rule.metric]);
  }
}

/** A predictive scaling policy and its forecast for the hour. */
export class PredictiveScaling {
  /** 0 without a forecast. */
  capacity = 0;
  private readonly history = new SeasonalNaive();

  constructor(
    readonly policy: PredictivePolicy,
    private readonly given: ((at: number) => number | undefined) | undefined,
  ) {}

  push(metrics: Metrics, instances: number, now: number): void {
    const value = metrics[this.policy.metric];
    // A minute belongs to the hour in which it starts.
    if (value !== undefined) this.history.record(value * instances, now - 1);
  }

  /** A forecast applies from `bufferTime` before its hour. */
  update(now: number): void {
    this.capacity = Math.max(this.servers(now), this.servers(now + this.policy.bufferTime));
  }

  max(maxSize: number): number {
    return maxWithForecast(maxSize, this.capacity, this.policy);
  }

  private servers(at: number): number {
    if (this.given) return this.given(at) ?? 0;
    const load = this.history.loadAt(at);
    return load === undefined ? 0 : proportional(1, load, this.policy.target);
  }
}
