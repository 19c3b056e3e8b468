import fc from 'fast-check';
import { crossing, studentT, type Trend, trendOf } from '../../../../tools/planner/advise/trend';

const byDay = (values: readonly number[]) => values.map((value, day) => ({ day, value }));

test.each([
  [5, 2.571],
  [12, 2.179],
  [30, 2.042],
  [1000, 1.962],
])("Student's t with %i degrees of freedom is %d", (freedom, t) => {
  expect(Math.abs(studentT(freedom) - t)).toBeLessThan(0.01);
});

test('a trend needs at least a week', () => {
  expect(trendOf(byDay([1, 2, 3, 4, 5, 6]))).toBeUndefined();
  expect(trendOf(byDay([1, 2, 3, 4, 5, 6, 7]))).toMatchObject({ slope: 1, significant: true, days: 7 });
});

test('slope and bounds match the textbook formulas', () => {
  // Alternating residuals of 1 and -1 around 10 + 2 x day.
  const trend = trendOf(byDay([11, 11, 15, 15, 19, 19, 23, 23])) as Trend;
  expect(trend.slope).toBeCloseTo(1.905, 3);
  const { line, low, high } = trend.at(10);
  expect(line).toBeCloseTo(29.381, 2);
  // Deviation 1.1269, t(6) = 2.447, sqrt(1/8 + 6.5^2 / 42) = 1.0635.
  expect(high - line).toBeCloseTo(2.93, 2);
  expect(line - low).toBeCloseTo(2.93, 2);
});

test('constant or alternating values have no trend', () => {
  expect(trendOf(byDay([5, 5, 5, 5, 5, 5, 5]))).toMatchObject({ slope: 0, significant: false });
  expect(trendOf(byDay([5, 9, 4, 8, 6, 9, 3, 7, 5, 8]))?.significant).toBe(false);
});

test('a falling line crosses a threshold below it', () => {
  const trend = trendOf(byDay([100, 98, 96, 94, 92, 90, 88]));
  expect(trend && crossing(trend, 80, 6, 180)).toEqual({ expected: 4, earliest: 4, latest: 4 });
  expect(trend && crossing(trend, 80, 6, 3)).toEqual({ expected: undefined, earliest: undefined, latest: undefined });
});

test('the expected date lies between its bounds', () => {
  const noisy = fc.tuple(
    fc.double({ min: 0.2, max: 5, noNaN: true }),
    fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 7, maxLength: 30 }),
  );
  fc.assert(
    fc.property(noisy, ([slope, noise]) => {
      const trend = trendOf(byDay(noise.map((one, day) => slope * day + one)));
      if (!trend?.significant) return;
      const {
        expected = Infinity,
        earliest = Infinity,
        latest = Infinity,
      } = crossing(trend, slope * 60, noise.length - 1, 1000);
      expect(earliest).toBeLessThanOrEqual(expected);
      expect(expected).toBeLessThanOrEqual(latest);
    }),
  );
});
