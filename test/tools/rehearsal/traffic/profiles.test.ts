import fc from 'fast-check';
import { type Load, PROFILES, peakRate, rateAt, totalRequests } from '../../../../tools/rehearsal/traffic/profiles';

const load = fc.record<Load>({
  profile: fc.constantFrom(...PROFILES),
  rps: fc.integer({ min: 1, max: 1000 }),
  seconds: fc.integer({ min: 5, max: 900 }),
  factor: fc.integer({ min: 1, max: 50 }),
});

test('the rate never exceeds the peak, and is 0 outside the duration', () => {
  fc.assert(
    fc.property(load, fc.double({ min: -1, max: 2, noNaN: true }), (one, share) => {
      const rate = rateAt(one, share * one.seconds);
      expect(rate).toBeGreaterThanOrEqual(0);
      expect(rate).toBeLessThanOrEqual(peakRate(one) + 1e-9);
      if (share < 0 || share > 1) expect(rate).toBe(0);
    }),
  );
});

test('the total number of requests is the integral of the rate', () => {
  fc.assert(
    fc.property(load, (one) => {
      const steps = 10_000;
      let sum = 0;
      for (let step = 0; step < steps; step++) sum += rateAt(one, ((step + 0.5) * one.seconds) / steps);
      const sampled = (sum * one.seconds) / steps;
      expect(Math.abs(sampled / totalRequests(one) - 1)).toBeLessThan(0.001);
    }),
    { numRuns: 20 },
  );
});

test('a spike reaches its factor in the middle, and is over before the end', () => {
  const spike: Load = { profile: 'spike', rps: 100, seconds: 100, factor: 10 };
  expect([0, 20, 40, 70, 100].map((at) => rateAt(spike, at))).toEqual([100, 100, 1000, 100, 100]);
});
