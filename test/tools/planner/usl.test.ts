import fc from 'fast-check';
import { bestServers, fitUsl, throughput } from '../../../tools/planner/usl';

const COUNTS = [1, 2, 4, 8, 16, 32];
const measured = (law: { lambda: number; sigma: number; kappa: number }, counts = COUNTS) =>
  counts.map((servers) => ({ servers, rps: throughput(law, servers) }));

test('recovers the parameters of exact measurements', () => {
  const law = fc.record({
    lambda: fc.double({ min: 1, max: 1e5, noNaN: true }),
    sigma: fc.double({ min: 0.001, max: 0.5, noNaN: true }),
    kappa: fc.double({ min: 0.0001, max: 0.05, noNaN: true }),
  });
  fc.assert(
    fc.property(law, (made) => {
      const found = fitUsl(measured(made));
      expect(found.lambda / made.lambda).toBeCloseTo(1, 6);
      expect(found.sigma).toBeCloseTo(made.sigma, 6);
      expect(found.kappa).toBeCloseTo(made.kappa, 6);
    }),
  );
});

test('servers without shared resources scale linearly', () => {
  const found = fitUsl(measured({ lambda: 250, sigma: 0, kappa: 0 }));
  expect(found.lambda).toBeCloseTo(250, 6);
  expect(found.sigma).toBeCloseTo(0, 6);
  expect(found.kappa).toBeCloseTo(0, 6);
  expect(bestServers({ sigma: 0, kappa: 0 })).toBe(Number.POSITIVE_INFINITY);
});

test('coherency limits throughput to a peak', () => {
  const law = { lambda: 100, sigma: 0.02, kappa: 0.0005 };
  const best = bestServers(law);
  expect(best).toBeCloseTo(44.27, 2);
  expect(throughput(law, best)).toBeGreaterThan(throughput(law, best - 1));
  expect(throughput(law, best)).toBeGreaterThan(throughput(law, best + 1));
});

test('superlinear noise gives no negative parameter', () => {
  const found = fitUsl([
    { servers: 1, rps: 95 },
    { servers: 2, rps: 204 },
    { servers: 5, rps: 499 },
    { servers: 10, rps: 1010 },
  ]);
  expect(found).toMatchObject({ sigma: 0, kappa: 0 });
  expect(found.lambda).toBeGreaterThan(99);
  expect(found.lambda).toBeLessThan(101);
});

test('tolerates measurement errors of 5%', () => {
  const law = { lambda: 400, sigma: 0.03, kappa: 0.001 };
  const noise = fc.array(fc.double({ min: 0.95, max: 1.05, noNaN: true }), { minLength: 6, maxLength: 6 });
  fc.assert(
    fc.property(noise, (factors) => {
      const points = measured(law).map(({ servers, rps }, i) => ({ servers, rps: rps * (factors[i] as number) }));
      const found = fitUsl(points);
      for (const { servers } of points) {
        expect(throughput(found, servers) / throughput(law, servers)).toBeGreaterThan(0.9);
        expect(throughput(found, servers) / throughput(law, servers)).toBeLessThan(1.1);
      }
    }),
  );
});

test.each([
  [[{ servers: 0, rps: 1 }], 'USL: servers must be 1 or more, got 0'],
  [[{ servers: 1, rps: 0 }], 'USL: rps must be above 0, got 0'],
  [[{ servers: 1, rps: Number.NaN }], 'USL: rps must be above 0, got NaN'],
  [
    [
      { servers: 1, rps: 100 },
      { servers: 2, rps: 190 },
      { servers: 2, rps: 191 },
    ],
    'USL: distinct numbers of servers must be at least 3, got 2',
  ],
])('%j cannot be fitted', (points, message) => {
  expect(() => fitUsl(points)).toThrow(message);
});
