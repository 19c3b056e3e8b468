import type { AdjustmentType, PredictivePolicy, Purchase, StepAdjustment } from './scaling-group';

/** What binary fractions add to a quotient that is whole; it must not start another instance. */
const ROUNDING = 1e-9;

/**
 * The capacity that brings a metric to its target: fractions are rounded up when instances are added and when they are kept.
 *
 * @see https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-target-tracking.html
 */
export function proportional(instances: number, metric: number, target: number): number {
  return Math.ceil((instances * metric) / target - ROUNDING);
}

/**
 * The capacity after an adjustment, before the group's bounds. A percentage is cut to whole instances, one at least.
 *
 * @param minMagnitude fewest instances that a percentage changes
 * @see https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-simple-step.html
 */
export function adjusted(capacity: number, type: AdjustmentType, adjustment: number, minMagnitude = 0): number {
  switch (type) {
    case 'ExactCapacity':
      return adjustment;
    case 'ChangeInCapacity':
      return capacity + adjustment;
    case 'PercentChangeInCapacity': {
      const change = wholeInstances((capacity * adjustment) / 100);
      return capacity + Math.sign(adjustment) * Math.max(Math.abs(change), minMagnitude);
    }
  }
}

/** 12.7 is 12, 0.67 is 1, -0.58 is -1, -6.67 is -6. */
export function wholeInstances(change: number): number {
  const size = Math.abs(change);
  return Math.sign(change) * (size > 0 && size < 1 ? 1 : Math.floor(size + ROUNDING));
}

/**
 * The step whose bounds hold the metric's distance from the threshold. Above the threshold the lower bound belongs to the step,
 * below it the upper one.
 */
export function stepFor(
  steps: readonly StepAdjustment[],
  distance: number,
  above: boolean,
): StepAdjustment | undefined {
  return steps.find(({ lower = Number.NEGATIVE_INFINITY, upper = Number.POSITIVE_INFINITY }) =>
    above ? distance >= lower && distance < upper : distance > lower && distance <= upper,
  );
}

/** Instances that are on demand: the base, and a share of the rest that is rounded up. */
export function onDemandOf(instances: number, { onDemandBase, onDemandPercentage }: Purchase): number {
  const aboveBase = Math.max(0, instances - onDemandBase);
  return Math.min(instances, onDemandBase) + Math.ceil((aboveBase * onDemandPercentage) / 100 - ROUNDING);
}

/** The most that a group may have in an hour with this forecast. */
export function maxWithForecast(maxSize: number, forecast: number, policy: PredictivePolicy): number {
  if (policy.maxCapacityBreach === 'HonorMaxCapacity') return maxSize;
  return Math.max(maxSize, Math.ceil(forecast * (1 + policy.maxCapacityBuffer / 100) - ROUNDING));
}
