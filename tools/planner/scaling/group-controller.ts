import { adjusted, proportional, stepFor } from './capacity';
import { AlarmDriven, PredictiveScaling, TargetTracking } from './policies';
import type { ScalingProfile } from './profile';
import type { MetricKind, ScalingGroup, SimplePolicy, StepPolicy } from './scaling-group';
import { Schedule } from './schedule';
import { Warmups } from './warmups';

/** What CloudWatch and the group say since the last step. A metric that nobody published is left out. */
export interface Observed {
  /** Instances in service, also those that still warm up, and not those that drain. */
  readonly inService: number;
  /**
   * Instances that came into service since the last step.
   *
   * @default - by how many `inService` grew
   */
  readonly launched?: number;
  /**
   * Instances that were told to go and are not gone.
   *
   * @default 0
   */
  readonly draining?: number;
  /** Mean of the instances that do not warm up (`GroupController.warming`), in percent. */
  readonly cpu?: number;
  /** A minute, for each healthy target. */
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
  /** One sentence with the figures that led to it. */
  readonly why: string;
}

export interface ControllerOptions {
  readonly profile: ScalingProfile;
  /** When the first step's interval begins, in Unix seconds. */
  readonly start: number;
  /**
   * Size to start with; these instances are in service and warm.
   *
   * @default - the group's desired capacity, or its minimum
   */
  readonly desired?: number;
  /**
   * Servers that the hour of a moment needs, for predictive scaling.
   *
   * @default - a seasonal-naive stand-in on what the controller has seen
   */
  readonly forecast?: (at: number) => number | undefined;
}

/**
 * Decides on the size of an Auto Scaling group as EC2 Auto Scaling does: it is told what the metrics say and answers with the
 * desired capacity. It starts and ends nothing, so it drives a simulated fleet and a real one alike.
 *
 *     const controller = new GroupController(group, { profile: profiles.ec2, start: 0 });
 *     controller.step(60, { inService: 2, cpu: 85 });
 *
 * Steps may be of any length; alarms see one point a minute, the mean of the steps in it.
 */
export class GroupController {
  /** Desired capacity after the last step. */
  desired: number;
  /** Bounds as scheduled actions have left them. */
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
  /** Of the newest activity of a simple policy: still going on, and until when its cool-down holds. */
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

  /** Instances in service that are still left out of EC2's metrics of the group. */
  get warming(): number {
    return this.warmups.warming;
  }

  /** @param now end of the interval that was observed, in Unix seconds; later than in the last step */
  step(now: number, observed: Observed): readonly Decision[] {
    this.observe(now, observed);
    const decisions: Decision[] = [];
    this.applyScheduledActions(now, decisions);
    const minuteOver = Math.floor(now / 60) > Math.floor(this.now / 60);
    this.now = now;
    if (minuteOver) {
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
      const wanted = clamp(action.desiredCapacity ?? this.desired, this.minSize, this.maxSize);
      this.set(wanted, undefined, decisions, { at: now, by: 'schedule', cause: action.id, why });
    }
  }

  /** A forecast is a floor for its hour. */
  private applyForecast(now: number, decisions: Decision[]): void {
    for (const one of this.predictive) {
      one.look(now);
      const wanted = Math.min(one.capacity, this.limit());
      if (wanted <= this.desired) continue;
      const why = `the forecast asks for ${one.capacity}`;
      this.set(wanted, undefined, decisions, { at: now, by: 'forecast', cause: one.policy.id, why });
    }
  }

  /** The largest capacity that a policy asks for wins; fewer only when nothing asks for more. */
  private applyPolicies(now: number, decisions: Decision[]): void {
    const wishes: Proposal[] = [];
    this.evaluateTargetTracking(wishes);
    this.evaluateStepScaling(wishes);
    this.evaluateSimpleScaling(now, wishes);
    let chosen: Proposal | undefined;
    for (const wish of wishes) {
      if (chosen === undefined || wish.capacity > chosen.capacity) chosen = wish;
    }
    if (!chosen) return;
    const floor = this.predictive.reduce((most, { capacity }) => Math.max(most, capacity), this.minSize);
    const wanted = Math.min(Math.max(chosen.capacity, floor), this.limit());
    if (chosen.out ? wanted <= this.desired : wanted >= this.desired) return;
    if (chosen.simple) {
      this.simpleActivity = true;
      this.cooldown = chosen.simple.cooldown ?? this.group.defaultCooldown;
    }
    this.set(wanted, chosen.warmup, decisions, { at: now, by: 'policy', cause: chosen.cause, why: chosen.why() });
  }

  /** Out when any asks for it; in when all that may do so agree. */
  private evaluateTargetTracking(wishes: Proposal[]): void {
    const voters = this.tracking.filter(({ policy }) => !policy.disableScaleIn);
    for (const { policy, high } of this.tracking) {
      if (high.state !== 'ALARM' || high.value === undefined) continue;
      const metric = high.value;
      const base = this.scaleOutBase();
      const capacity = Math.max(this.desired, proportional(base, metric, policy.target));
      const why = () => `${formatMetric(policy.metric, metric)} of ${base}, target ${policy.target}`;
      wishes.push({ out: true, capacity, cause: policy.id, why, warmup: this.warmupOf(policy) });
    }
    if (voters.length === 0 || this.warmups.inProgress) return;
    if (voters.some(({ low }) => low.state !== 'ALARM' || low.value === undefined)) return;
    const asked = voters.map(({ policy, low }) => ({
      policy,
      metric: low.value as number,
      capacity: proportional(this.desired, low.value as number, policy.target),
    }));
    const { policy, metric, ...most } = asked.reduce((most, one) => (one.capacity > most.capacity ? one : most));
    if (most.capacity >= this.desired) return;
    const capacity = Math.max(
      most.capacity,
      this.desired - Math.max(1, Math.floor(this.desired * this.maxScaleInShare)),
    );
    const why = () => `${formatMetric(policy.metric, metric)} of ${this.desired}, target ${policy.target}`;
    wishes.push({ out: false, capacity, cause: policy.id, why });
  }

  private evaluateStepScaling(wishes: Proposal[]): void {
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
        wishes.push({ out, capacity, cause: policy.id, why, warmup: this.warmupOf(policy) });
      }
    }
  }

  private evaluateSimpleScaling(now: number, wishes: Proposal[]): void {
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
        wishes.push({ out, capacity, cause: policy.id, why, simple: policy });
      }
    }
  }

  /** Pending and warming instances do not count when more are asked for: they were asked for already. */
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

  private set(desired: number, warmup: number | undefined, decisions: Decision[], because: DecisionReason): void {
    if (desired === this.desired) return;
    decisions.push({ ...because, from: this.desired, desired });
    this.warmups.changeDesired(desired - this.desired, warmup);
    this.desired = desired;
  }
}

type DecisionReason = Pick<Decision, 'at' | 'by' | 'cause' | 'why'>;

/** What a policy asks for. */
interface Proposal {
  readonly out: boolean;
  readonly capacity: number;
  readonly cause: string;
  readonly why: () => string;
  readonly warmup?: number;
  readonly simple?: SimplePolicy;
}

const NO_DECISION: readonly Decision[] = [];

/** Of the values since it was last taken. */
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
