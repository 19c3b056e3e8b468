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
])('a change by %d is one of %d instances', (change, instances) => {
  expect(wholeInstances(change)).toBe(instances);
});

test('25% of 4 with a magnitude of 2 at least is 2 more, and 2 fewer with the other sign', () => {
  expect(adjusted(4, 'PercentChangeInCapacity', 25, 2)).toBe(6);
  expect(adjusted(4, 'PercentChangeInCapacity', -25, 2)).toBe(2);
  expect(adjusted(4, 'ExactCapacity', 7)).toBe(7);
});

test('a binary fraction starts no server', () => {
  expect(proportional(3, 0.1 + 0.2, 0.3)).toBe(3);
  expect(proportional(5, 65, 50)).toBe(7);
});

test('a step holds its bound on the side of the threshold', () => {
  const steps = [
    { lower: 0, upper: 10, adjustment: 1 },
    { lower: 10, adjustment: 2 },
    { lower: -10, upper: 0, adjustment: -1 },
    { upper: -10, adjustment: -2 },
  ];
  expect([0, 9.9, 10].map((distance) => stepFor(steps, distance, true)?.adjustment)).toEqual([1, 1, 2]);
  expect([-0.1, -9.9, -10].map((distance) => stepFor(steps, distance, false)?.adjustment)).toEqual([-1, -1, -2]);
});

test('a base of 12 on demand and nothing above it: of 20 instances 12 are on demand and 8 are spot', () => {
  expect(onDemandOf(20, { onDemandBase: 12, onDemandPercentage: 0 })).toBe(12);
  expect(onDemandOf(5, { onDemandBase: 12, onDemandPercentage: 0 })).toBe(5);
  // A share above the base rounds up.
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
