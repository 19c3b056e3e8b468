import { transitionBetween, transitionError } from '../../../lib/phases/transitions';

test.each([
  [1, 2, 'allowed'],
  [1, 3, 'refused'],
  [1, 4, 'refused'],
  [2, 3, 'allowed'],
  [2, 4, 'allowed'],
  [3, 4, 'allowed'],
  [4, 3, 'on purpose'],
  [4, 2, 'on purpose'],
  [3, 2, 'on purpose'],
  [2, 1, 'on purpose'],
  [3, 1, 'refused'],
  [4, 1, 'refused'],
  [2, 2, 'allowed'],
])('from phase %i to phase %i: %s', (from, to, verdict) => {
  expect(transitionBetween(from, to).verdict).toBe(verdict);
});

test('a refused transition has a reason and an alternative in its error', () => {
  expect(transitionError(1, 3)).toBe(
    'The shop runs phase 1. Deploying phase 3 would lose orders: the orders are on the instance, which the deploy would terminate. Instead, deploy phase-2 and move the orders to RDS first.',
  );
  expect(transitionError(4, 3)).toBe(
    'The shop runs phase 4. Deploying phase 3 is a step back: servers of the earlier phase start beside those that serve. To confirm, pass -c goBackFrom=4.',
  );
});

test('goBackFrom allows a step back only if it is the current phase', () => {
  expect(transitionError(4, 3, 4)).toBeUndefined();
  expect(transitionError(4, 3, 3)).toBeDefined();
  expect(transitionError(4, 1, 4)).toBeDefined();
  expect(transitionError(3, 4)).toBeUndefined();
});
