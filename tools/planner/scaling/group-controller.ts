import { adjusted, proportional, stepFor } from './capacity';
import { AlarmDriven, PredictiveScaling, TargetTracking } from './policies';
import type { ScalingProfile } from './profile';
import type { MetricKind, ScalingGroup, SimplePolicy, StepPolicy } from './scaling-group';
import { Schedule } from './schedule';
import { Warmups } from './warmups';

/** Metrics and instance counts since the last step. An unpublished metric is undefined. */
export interface Observed {
  /** Instances in service, including those that warm up, without those that are draining. */
  readonly inService: number;
  /**
   * Instances that entered service since the last step.
   *
   * @default - the increase of `inService`
   */
  readonly launched?: number;
  /**
   * Instances that are terminating.
   *
   * @default 0
   */
  readonly draining?: number;
  /** Mean of the instances that have warmed up (see `GroupController.warming`), in percent. */
  readonly cpu?: number;
  /** Requests per minute and healthy target. */
  readonly requestsPerTarget?: number;
  readonly backlogPerInstance?: number;
}

/** A change of the desired capacity. */
export interface Decision {
  /** Unix seconds. */
  readonly at: number;
  readonly from: number;
  readonly desired: number;
  readonly by: 'policy' | 'schedule' | 'forecast';
  /** Logical id of the policy or the scheduled action. */
  readonly cause: string;
  /** Reason with the metric values. */
  readonly why: string;
}

export interface ControllerOptions {
  readonly profile: ScalingProfile;
  /** Start of the first step's interval, in Unix seconds. */
  readonly start: number;
  /**
   * Initial size. These instances are in service and warm.
   *
   * @default - the group's desired capacity, or its minimum
   */
  readonly desired?: number;
  /**
   * Forecast of the servers needed at a time in Unix seconds, for predictive scaling.
   *
   * @default - a seasonal-naive forecast from the observed load
   */
  readonly forecast?: (at: number) => number | undefined;
}

/**
 * Decides the size of an Auto Scaling group as EC2 Auto Scaling does: it takes metrics and returns changes of the desired
 * capacity. It launches and terminates nothing, so it can drive a simulated or a real fleet.
 *
 *     const controller = new GroupController(group, { profile: profiles.ec2, start: 0 });
 *     controller.step(60, { inService: 2, cpu: 85 });
 *
 * Steps may have any length. Alarms get one data point per minute, the mean of its steps.
 */
export class GroupController {
  /** Desired capacity after the last step. */
  desired: number;
  /** Limits after scheduled actions. */
  minSize: number;
  maxSize: number;

  private readonly tracking: readonly TargetTracking[];
  private readonly stepScaling: readonly AlarmDriven<StepPolicy>[];
  private readonly simple: readonly AlarmDriven<SimplePolicy>[];
  private readonly predictive: readonly PredictiveScaling[];
  private readonly schedule: Schedule;
  private readonly means: Record<MetricKind, Mean> = {
    cpu: new Mean(),
    requestsPerTarget: new Mean(),
    backlogPerInstance: new Mean(),
  };
  private readonly warmups: Warmups;
  private readonly maxScaleInShare: number;
  private now: number;
  private inService: number;
  /** Latest activity of a simple scaling policy: whether it is in progress, and the end of its cooldown. */
  private simpleActivity = false;
  private cooldown = 0;
  private cooldownUntil = Number.NEGATIVE_INFINITY;

  constructor(
    readonly group: ScalingGroup,
    options: ControllerOptions,
  ) {
    const { profile, start } = options;
    this.now = start;
    this.maxScaleInShare = profile.maxScaleInShare;
    this.minSize = group.minSize;
    this.maxSize = group.maxSize;
    this.desired = clamp(options.desired ?? group.desiredCapacity ?? group.minSize, group.minSize, group.maxSize);
    this.inService = this.desired;
    const of = <K extends string>(kind: K) =>
      group.policies.filter((policy): policy is Extract<typeof policy, { kind: K }> => policy.kind === kind);
    this.tracking = of('target tracking').map((policy) => new TargetTracking(policy, profile));
    this.stepScaling = of('step').map((policy) => new AlarmDriven(policy));
    this.simple = of('simple').map((policy) => new AlarmDriven(policy));
    this.predictive = of('predictive')
      .filter(({ mode }) => mode === 'ForecastAndScale')
      .map((policy) => new PredictiveScaling(policy, options.forecast));
    this.schedule = new Schedule(group.schedule, start);
    this.warmups = new Warmups(group.defaultWarmup ?? 0);
  }

  /** Instances in service that are warming up, and so excluded from the group's EC2 metrics. */
  get warming(): number {
    return this.warmups.warming;
  }

  /** @param now end of the observed interval, in Unix seconds; must increase with every step */
  step(now: number, observed: Observed): readonly Decision[] {
    this.observe(now, observed);
    const decisions: Decision[] = [];
    this.applyScheduledActions(now, decisions);
    const minuteEnded = Math.floor(now / 60) > Math.floor(this.now / 60);
    this.now = now;
    if (minuteEnded) {
      this.pushMinute(now);
      this.applyForecast(now, decisions);
      this.applyPolicies(now, decisions);
    }
    return decisions.length === 0 ? NO_DECISION : decisions;
  }

  private observe(now: number, observed: Observed): void {
    const { inService, launched = Math.max(0, inService - this.inService) } = observed;
    this.warmups.observe({ from: this.now, now, inService, launched, desired: this.desired });
    this.inService = inService;
    this.means.cpu.add(observed.cpu);
    this.means.requestsPerTarget.add(observed.requestsPerTarget);
    this.means.backlogPerInstance.add(observed.backlogPerInstance);
    if (this.simpleActivity && inService === this.desired && (observed.draining ?? 0) === 0) {
      this.simpleActivity = false;
      this.cooldownUntil = now + this.cooldown;
    }
  }

  private pushMinute(now: number): void {
    const { means } = this;
    const metrics = {
      cpu: means.cpu.take(),
      requestsPerTarget: means.requestsPerTarget.take(),
      backlogPerInstance: means.backlogPerInstance.take(),
    };
    for (const one of this.tracking) one.push(metrics);
    for (const one of this.stepScaling) one.push(metrics);
    for (const one of this.simple) one.push(metrics);
    for (const one of this.predictive) one.push(metrics, this.inService, now);
  }

  private applyScheduledActions(now: number, decisions: Decision[]): void {
    for (const action of this.schedule.due(now)) {
      this.minSize = action.minSize ?? this.minSize;
      this.maxSize = action.maxSize ?? this.maxSize;
      const bounds = `minimum ${this.minSize}, maximum ${this.maxSize}`;
      const why = action.desiredCapacity === undefined ? bounds : `${bounds}, desired ${action.desiredCapacity}`;
      const capacity = clamp(action.desiredCapacity ?? this.desired, this.minSize, this.maxSize);
      this.set(capacity, undefined, decisions, { at: now, by: 'schedule', cause: action.id, why });
    }
  }

  /** A forecast sets the minimum for its hour. */
  private applyForecast(now: number, decisions: Decision[]): void {
    for (const one of this.predictive) {
      one.update(now);
      const capacity = Math.min(one.capacity, this.limit());
      if (capacity <= this.desired) continue;
      const why = `forecast of ${one.capacity}`;
      this.set(capacity, undefined, decisions, { at: now, by: 'forecast', cause: one.policy.id, why });
    }
  }

  /** The policy with the largest capacity wins, so scale-out takes precedence over scale-in. */
  private applyPolicies(now: number, decisions: Decision[]): void {
    const proposals: Proposal[] = [];
    this.evaluateTargetTracking(proposals);
    this.evaluateStepScaling(proposals);
    this.evaluateSimpleScaling(now, proposals);
    let chosen: Proposal | undefined;
    for (const proposal of proposals) {
      if (chosen === undefined || proposal.capacity > chosen.capacity) chosen = proposal;
    }
    if (!chosen) return;
    const floor = this.predictive.reduce((most, { capacity }) => Math.max(most, capacity), this.minSize);
    const capacity = Math.min(Math.max(chosen.capacity, floor), this.limit());
    if (chosen.out ? capacity <= this.desired : capacity >= this.desired) return;
    if (chosen.simple) {
      this.simpleActivity = true;
      this.cooldown = chosen.simple.cooldown ?? this.group.defaultCooldown;
    }
    this.set(capacity, chosen.warmup, decisions, { at: now, by: 'policy', cause: chosen.cause, why: chosen.why() });
  }

  /** Scales out when any policy requires it, and in when all policies with scale-in enabled agree. */
  private evaluateTargetTracking(proposals: Proposal[]): void {
    const voters = this.tracking.filter(({ policy }) => !policy.disableScaleIn);
    for (const { policy, high } of this.tracking) {
      if (high.state !== 'ALARM' || high.value === undefined) continue;
      const metric = high.value;
      const base = this.scaleOutBase();
      const capacity = Math.max(this.desired, proportional(base, metric, policy.target));
      const why = () => `${formatMetric(policy.metric, metric)} of ${base}, target ${policy.target}`;
      proposals.push({ out: true, capacity, cause: policy.id, why, warmup: this.warmupOf(policy) });
    }
    if (voters.length === 0 || this.warmups.inProgress) return;
    if (voters.some(({ low }) => low.state !== 'ALARM' || low.value === undefined)) return;
    const candidates = voters.map(({ policy, low }) => ({
      policy,
      metric: low.value as number,
      capacity: proportional(this.desired, low.value as number, policy.target),
    }));
    const { policy, metric, ...most } = candidates.reduce((most, one) => (one.capacity > most.capacity ? one : most));
    if (most.capacity >= this.desired) return;
    const capacity = Math.max(
      most.capacity,
      this.desired - Math.max(1, Math.floor(this.desired * this.maxScaleInShare)),
    );
    const why = () => `${formatMetric(policy.metric, metric)} of ${this.desired}, target ${policy.target}`;
    proposals.push({ out: false, capacity, cause: policy.id, why });
  }

  private evaluateStepScaling(proposals: Proposal[]): void {
    for (const { policy, alarms } of this.stepScaling) {
      for (const alarm of alarms) {
        if (alarm.state !== 'ALARM' || alarm.value === undefined) continue;
        const { value, rule } = alarm;
        const step = stepFor(policy.steps, value - rule.threshold, rule.comparison.endsWith('above'));
        if (!step) continue;
        const base = this.scaleOutBase();
        const add = adjusted(base, policy.adjustmentType, step.adjustment, policy.minAdjustmentMagnitude);
        const out = add > base;
        if (!out && this.warmups.inProgress) continue;
        const capacity = out
          ? Math.max(this.desired, add)
          : adjusted(this.desired, policy.adjustmentType, step.adjustment, policy.minAdjustmentMagnitude);
        const why = () => `${formatMetric(rule.metric, value)}, ${rule.comparison} ${rule.threshold}`;
        proposals.push({ out, capacity, cause: policy.id, why, warmup: this.warmupOf(policy) });
      }
    }
  }

  private evaluateSimpleScaling(now: number, proposals: Proposal[]): void {
    if (this.simpleActivity || now < this.cooldownUntil) return;
    for (const { policy, alarms } of this.simple) {
      for (const alarm of alarms) {
        if (alarm.state !== 'ALARM') continue;
        const { adjustmentType, adjustment, minAdjustmentMagnitude } = policy;
        const capacity = adjusted(this.desired, adjustmentType, adjustment, minAdjustmentMagnitude);
        const out = capacity > this.desired;
        if (!out && this.warmups.inProgress) continue;
        const { rule, value } = alarm;
        const why = () => `${formatMetric(rule.metric, value)}, ${rule.comparison} ${rule.threshold}`;
        proposals.push({ out, capacity, cause: policy.id, why, simple: policy });
      }
    }
  }

  /** Scale-out ignores pending and warming instances, because they are already part of the desired capacity. */
  private scaleOutBase(): number {
    const warm = Math.min(this.inService, this.desired) - this.warmups.warming;
    return this.desired === 0 ? 1 : Math.max(0, warm);
  }

  private limit(): number {
    return this.predictive.reduce((most, one) => Math.max(most, one.max(this.maxSize)), this.maxSize);
  }

  private warmupOf({ warmup }: { warmup?: number }): number {
    return warmup ?? this.group.defaultWarmup ?? this.group.defaultCooldown;
  }

  private set(desired: number, warmup: number | undefined, decisions: Decision[], reason: DecisionReason): void {
    if (desired === this.desired) return;
    decisions.push({ ...reason, from: this.desired, desired });
    this.warmups.changeDesired(desired - this.desired, warmup);
    this.desired = desired;
  }
}

type DecisionReason = Pick<Decision, 'at' | 'by' | 'cause' | 'why'>;

/** Capacity that a policy proposes. */
interface Proposal {
  readonly out: boolean;
  readonly capacity: number;
  readonly cause: string;
  readonly why: () => string;
  readonly warmup?: number;
  readonly simple?: SimplePolicy;
}

const NO_DECISION: readonly Decision[] = [];

/** Mean of the values since the last `take`. */
class Mean {
  private sum = 0;
  private count = 0;

  add(value: number | undefined): void {
    if (value === undefined) return;
    this.sum += value;
    this.count += 1;
  }

  take(): number | undefined {
    const mean = this.count === 0 ? undefined : this.sum / this.count;
    this.sum = 0;
    this.count = 0;
    return mean;
  }
}

function formatMetric(metric: MetricKind, value: number | undefined): string {
  const shown = value === undefined ? 'missing' : String(Math.round(value * 10) / 10);
  if (metric === 'cpu') return `CPU ${shown}%`;
  return metric === 'requestsPerTarget' ? `${shown} requests per target` : `backlog of ${shown} per instance`;
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}
