import type { AdjustmentType, PredictivePolicy, Purchase, StepAdjustment } from './scaling-group';

/** Tolerance for floating-point error, which must not round up to an extra instance. */
const ROUNDING = 1e-9;

/**
 * Capacity that brings a metric to its target. Fractions are rounded up, both for scale-out and scale-in.
 *
 * @see https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-target-tracking.html
 */
export function proportional(instances: number, metric: number, target: number): number {
  return Math.ceil((instances * metric) / target - ROUNDING);
}

/**
 * Capacity after an adjustment, before the group's limits apply. A percentage is truncated to whole instances, at least one.
 *
 * @param minMagnitude minimum number of instances for a percentage
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

/** Truncates to whole instances: 12.7 to 12, 0.67 to 1, -0.58 to -1, -6.67 to -6. */
export function wholeInstances(change: number): number {
  const size = Math.abs(change);
  return Math.sign(change) * (size > 0 && size < 1 ? 1 : Math.floor(size + ROUNDING));
}

/**
 * Finds the step for the difference between metric and threshold. Above the threshold the lower bound is inclusive,
 * below it the upper bound.
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

/** On-Demand instances: the base plus a share of the rest, rounded up. */
export function onDemandOf(instances: number, { onDemandBase, onDemandPercentage }: Purchase): number {
  const aboveBase = Math.max(0, instances - onDemandBase);
  return Math.min(instances, onDemandBase) + Math.ceil((aboveBase * onDemandPercentage) / 100 - ROUNDING);
}

/** Maximum capacity for an hour with this forecast. */
export function maxWithForecast(maxSize: number, forecast: number, policy: PredictivePolicy): number {
  if (policy.maxCapacityBreach === 'HonorMaxCapacity') return maxSize;
  return Math.max(maxSize, Math.ceil(forecast * (1 + policy.maxCapacityBuffer / 100) - ROUNDING));
}
