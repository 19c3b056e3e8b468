import type { AlarmRule, ScalingGroup, SimplePolicy } from '../scaling/scaling-group';

/** AWS's default cooldown of simple scaling policies, in seconds. */
export const DEFAULT_COOLDOWN = 300;

/** A common rule of thumb. */
const CLASSIC = [
  { id: 'Above70', adjustment: 2, comparison: 'above', threshold: 70 },
  { id: 'Below30', adjustment: -3, comparison: 'below', threshold: 30 },
] as const;

export const CLASSIC_RULES = 'CPU above 70% for a minute: +2; below 30% for a minute: -3';

/**
 * Returns the group with another cooldown for its simple scaling policies. A group without any gets two classic ones
 * in place of all its policies.
 *
 * @param cooldown seconds
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

/** Returns the group with another warm-up for the group and all its policies. */
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
