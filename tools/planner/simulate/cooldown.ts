import type { AlarmRule, ScalingGroup, SimplePolicy } from '../scaling/scaling-group';

/** Of simple policies, when nobody says otherwise; AWS's default as well. In seconds. */
export const DEFAULT_COOLDOWN = 300;

/** The rule of thumb that many fleets begin with. */
const CLASSIC = [
  { id: 'Above70', adjustment: 2, comparison: 'above', threshold: 70 },
  { id: 'Below30', adjustment: -3, comparison: 'below', threshold: 30 },
] as const;

export const CLASSIC_RULES = 'CPU above 70% for a minute: +2; below 30% for a minute: -3';

/**
 * The group with another cool-down for its simple policies. Only those have one: a group without any gets the two classic
 * ones in place of its own policies.
 *
 * @param cooldown in seconds
 */
export function withCooldown(group: ScalingGroup, cooldown: number): ScalingGroup {
  const policies = hasCooldown(group) ? group.policies : CLASSIC.map(classic);
  return {
    ...group,
    defaultCooldown: cooldown,
    policies: policies.map((policy) => (policy.kind === 'simple' ? { ...policy, cooldown } : policy)),
  };
}

export function hasCooldown(group: ScalingGroup): boolean {
  return group.policies.some(({ kind }) => kind === 'simple');
}

/** The group with another warm-up, wherever it was set. */
export function withWarmup(group: ScalingGroup, warmup: number): ScalingGroup {
  const policies = group.policies.map((policy) =>
    policy.kind === 'step' || policy.kind === 'target tracking' ? { ...policy, warmup } : policy,
  );
  return { ...group, defaultWarmup: warmup, policies };
}

function classic({ id, adjustment, comparison, threshold }: (typeof CLASSIC)[number]): SimplePolicy {
  const alarm: AlarmRule = {
    metric: 'cpu',
    comparison,
    threshold,
    period: 60,
    statistic: 'Average',
    evaluationPeriods: 1,
    datapointsToAlarm: 1,
    missing: 'missing',
  };
  return { kind: 'simple', id, adjustmentType: 'ChangeInCapacity', adjustment, alarms: [alarm] };
}
