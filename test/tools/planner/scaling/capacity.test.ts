import {
  adjusted,
  maxWithForecast,
  onDemandOf,
  proportional,
  stepFor,
  wholeInstances,
} from '../../../../tools/planner/scaling/capacity';
import type { PredictivePolicy } from '../../../../tools/planner/scaling/scaling-group';

test.each([
  [12.7, 12],
  [0.67, 1],
  [-0.58, -1],
  [-6.67, -6],
  [0, 0],
])('a change by %d is truncated to %d instances', (change, instances) => {
  expect(wholeInstances(change)).toBe(instances);
});

test('a percentage changes at least the minimum magnitude, in both directions', () => {
  expect(adjusted(4, 'PercentChangeInCapacity', 25, 2)).toBe(6);
  expect(adjusted(4, 'PercentChangeInCapacity', -25, 2)).toBe(2);
  expect(adjusted(4, 'ExactCapacity', 7)).toBe(7);
});

test('floating-point error does not add a server', () => {
  expect(proportional(3, 0.1 + 0.2, 0.3)).toBe(3);
  expect(proportional(5, 65, 50)).toBe(7);
});

test('a step includes the bound that is closer to the threshold', () => {
  const steps = [
    { lower: 0, upper: 10, adjustment: 1 },
    { lower: 10, adjustment: 2 },
    { lower: -10, upper: 0, adjustment: -1 },
    { upper: -10, adjustment: -2 },
  ];
  expect([0, 9.9, 10].map((distance) => stepFor(steps, distance, true)?.adjustment)).toEqual([1, 1, 2]);
  expect([-0.1, -9.9, -10].map((distance) => stepFor(steps, distance, false)?.adjustment)).toEqual([-1, -1, -2]);
});

test('On-Demand instances are the base and a share of the rest, rounded up', () => {
  expect(onDemandOf(20, { onDemandBase: 12, onDemandPercentage: 0 })).toBe(12);
  expect(onDemandOf(5, { onDemandBase: 12, onDemandPercentage: 0 })).toBe(5);
  expect(onDemandOf(5, { onDemandBase: 0, onDemandPercentage: 50 })).toBe(3);
});

test.each([
  ['HonorMaxCapacity', 10, 40],
  ['IncreaseMaxCapacity', 0, 50],
  ['IncreaseMaxCapacity', 10, 55],
] as const)(
  'with a forecast of 50, %s and a buffer of %i%% make a maximum of 40 one of %i',
  (breach, buffer, expected) => {
    const policy = { maxCapacityBreach: breach, maxCapacityBuffer: buffer } as PredictivePolicy;
    expect(maxWithForecast(40, 50, policy)).toBe(expected);
  },
);
