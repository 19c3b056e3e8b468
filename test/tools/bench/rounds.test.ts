import fc from 'fast-check';
import { measureInterleaved, median } from '../../../tools/bench/rounds';

test('the median is the middle value, or the mean of the middle two', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([7])).toBe(7);
});

test('at least half of the values are at or below the median, and at least half at or above it', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1 }), (values) => {
      const middle = median(values);
      expect(values.filter((value) => value <= middle).length * 2).toBeGreaterThanOrEqual(values.length);
      expect(values.filter((value) => value >= middle).length * 2).toBeGreaterThanOrEqual(values.length);
    }),
  );
});

test('measurements alternate, and the first round is not counted', async () => {
  const order: string[] = [];
  const counts = { one: 0, other: 0 };
  const measure = (name: keyof typeof counts) => async () => {
    order.push(name);
    counts[name] += 1;
    return { ms: counts[name] === 1 ? 1_000 : counts[name] };
  };
  const figures = await measureInterleaved({ one: measure('one'), other: measure('other') }, { rounds: 3, json: true });
  expect(order).toEqual(['one', 'other', 'one', 'other', 'one', 'other', 'one', 'other']);
  expect(figures).toEqual({ one: { ms: 3 }, other: { ms: 3 } });
});

test('the share of failures is the mean of all rounds, and an absent measurement is skipped', async () => {
  let round = 0;
  const measure = async () => {
    round += 1;
    return { rps: round, failedShare: round === 2 ? 0.3 : 0 };
  };
  const seen = await measureInterleaved({ shop: measure, other: undefined }, { rounds: 3, json: true });
  expect(seen).toEqual({ shop: { rps: 3, failedShare: 0.3 / 3 } });
});
