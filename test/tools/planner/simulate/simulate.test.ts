import fc from 'fast-check';
import { profiles } from '../../../../tools/planner/scaling/profile';
import type { ScalingGroup, ScalingPolicy } from '../../../../tools/planner/scaling/scaling-group';
import { countThrash, type SimulationOptions, simulate } from '../../../../tools/planner/simulate/simulate';
import { type RequestSeries, shapedTraffic } from '../../../../tools/planner/simulate/traffic';
import { GROUP, onCpu } from '../scaling/group';

const tracking = (metric: 'cpu' | 'requestsPerTarget', target: number): ScalingPolicy => ({
  kind: 'target tracking',
  id: metric,
  metric,
  target,
  disableScaleIn: false,
  warmup: 0,
});

const constant = (requests: number, minutes: number): RequestSeries => ({
  name: 'constant',
  start: 0,
  requests: new Float64Array(minutes).fill(requests),
});

/** Simulates servers of 2,000 requests/min that launch in 5 minutes, with metrics and actions without delay. */
function run(group: Partial<ScalingGroup>, traffic: RequestSeries, more: Partial<SimulationOptions> = {}) {
  return simulate({
    group: { ...GROUP, ...group },
    traffic,
    profile: { ...profiles.ec2, boot: 300, actionDelay: 0 },
    requestsPerServer: 2000,
    appStart: 0,
    metricDelay: 0,
    spotLossPerMonth: 0,
    seed: 1,
    ...more,
  });
}

const changes = ({ decisions }: ReturnType<typeof simulate>) => decisions.map(({ at, desired }) => [at / 60, desired]);

describe('traffic that rises 100-fold within a minute', () => {
  const step = constant(200_000, 60);

  test('scaling on requests reaches the required capacity in one change', () => {
    const result = run({ minSize: 2, policies: [tracking('requestsPerTarget', 1000)] }, step);
    expect(changes(result)).toEqual([[3, 200]]);
    expect([...result.series.inService.slice(7, 9)]).toEqual([2, 200]);
    expect(result.summary.dropped).toBe(1_568_000);
  });

  test('scaling on CPU, which is at most 100%, at most doubles the capacity per change', () => {
    const result = run({ minSize: 2, policies: [tracking('cpu', 50)] }, step);
    expect(changes(result)).toEqual([
      [3, 4],
      [9, 8],
      [15, 16],
      [21, 32],
      [27, 64],
      [33, 128],
      [39, 200],
    ]);
    expect(result.summary.dropped).toBe(6_080_000);
  });
});

describe('cooldown', () => {
  const rules = (cooldown: number): ScalingPolicy[] => [
    {
      kind: 'simple',
      id: 'More',
      adjustmentType: 'ChangeInCapacity',
      adjustment: 2,
      cooldown,
      alarms: [onCpu('above', 70)],
    },
    {
      kind: 'simple',
      id: 'Fewer',
      adjustmentType: 'ChangeInCapacity',
      adjustment: -3,
      cooldown,
      alarms: [onCpu('below', 30)],
    },
  ];
  // 80% of two servers.
  const even = (cooldown: number) =>
    run({ minSize: 2, policies: rules(cooldown) }, constant(3200, 720), { metricDelay: 60 });

  test('without a cooldown, constant traffic adds and removes servers repeatedly', () => {
    const result = even(0);
    expect(
      changes(result)
        .slice(0, 4)
        .map(([, desired]) => desired),
    ).toEqual([4, 6, 3, 2]);
    expect(result.summary.thrash).toBeGreaterThan(20);
  });

  test('with 300 seconds, constant traffic adds servers once', () => {
    const result = even(300);
    expect(changes(result)).toEqual([[2, 4]]);
    expect(result.summary.thrash).toBe(0);
  });
});

test('thrash is a change that reverses another within half an hour', () => {
  const change = (at: number, by: number) => ({ at, from: 10, desired: 10 + by });
  expect(countThrash([change(0, 2), change(60, 2), change(120, -3), change(180, 2)])).toBe(2);
  expect(countThrash([change(0, 2), change(1801, -3)])).toBe(0);
});

describe('health checks', () => {
  test('servers that start slower than the grace period are replaced repeatedly and never serve', () => {
    const slow = { healthCheckType: 'ELB', healthCheckGrace: 60, healthCheckSeconds: 10 } as const;
    const policies = [tracking('requestsPerTarget', 1000)];
    const load = constant(4000, 60);
    const { summary, series } = run({ minSize: 2, policies, ...slow }, load, { appStart: 90 });
    expect(summary.neverHealthy).toBeGreaterThan(10);
    expect(Math.max(...series.capacity)).toBe(4000);
    const longGrace = run({ minSize: 2, policies, ...slow, healthCheckGrace: 100 }, load, { appStart: 90 });
    expect(longGrace.summary.neverHealthy).toBe(0);
    expect(Math.max(...longGrace.series.capacity)).toBeGreaterThan(4000);
  });
});

describe('spot', () => {
  const spot = { minSize: 10, maxSize: 10, purchase: { onDemandBase: 2, onDemandPercentage: 0 } };
  const sweep = (capacityRebalance: boolean) =>
    run({ ...spot, capacityRebalance }, constant(20_000, 60), { spotSweepAtMinute: 10 });

  test('interrupted servers serve for two minutes, and capacity is missing until their replacement', () => {
    const { series, summary } = sweep(false);
    expect([...series.inService.slice(9, 20)]).toEqual([10, 10, 10, 2, 2, 2, 2, 2, 2, 10, 10]);
    expect(summary).toMatchObject({ spotLost: 8, dropped: 6 * 16_000, onDemandHours: 2 });
  });

  test('with capacity rebalancing, replacements launch at the notice', () => {
    const { series } = sweep(true);
    expect([...series.inService.slice(9, 18)]).toEqual([10, 10, 10, 2, 2, 2, 2, 10, 10]);
  });

  test('interruptions match the monthly share', () => {
    const month = constant(20_000, 43_800);
    const { summary } = run(spot, month, { spotLossPerMonth: 1, profile: { ...profiles.ec2, boot: 26 } });
    // 8 spot servers, each interrupted once a month on average.
    expect(summary.spotLost).toBeGreaterThanOrEqual(2);
    expect(summary.spotLost).toBeLessThanOrEqual(18);
  });
});

test('excess jobs of workers wait in the queue, and the fleet follows the backlog', () => {
  const policies: ScalingPolicy[] = [{ ...tracking('cpu', 100), metric: 'backlogPerInstance' } as ScalingPolicy];
  const { summary, series } = run({ minSize: 1, maxSize: 10, policies }, constant(6000, 600), {
    requestsPerServer: 1000,
  });
  expect(summary.dropped).toBe(0);
  expect(summary.mostWaiting).toBeGreaterThan(5000);
  expect(Math.max(...series.inService)).toBe(10);
  expect(summary.served + summary.waiting).toBe(summary.demand);
});

test('basic monitoring delays a policy on CPU', () => {
  const group = { minSize: 2, policies: [tracking('cpu', 50)] };
  const first = (detailedMonitoring: boolean) =>
    changes(run({ ...group, detailedMonitoring }, constant(4000, 30)))[0]?.[0];
  expect([first(true), first(false)]).toEqual([3, 7]);
});

test('late metrics delay a policy by the same time', () => {
  const policies = [tracking('requestsPerTarget', 1000)];
  const late = run({ minSize: 2, policies }, constant(4000, 30), { metricDelay: 120 });
  expect(changes(late)[0]).toEqual([5, 4]);
});

test('predictive scaling adds servers before the forecast load', () => {
  const requests = new Float64Array(180).fill(2000).fill(40_000, 120);
  const predictive: ScalingPolicy = {
    kind: 'predictive',
    id: 'Predictive',
    mode: 'ForecastAndScale',
    metric: 'cpu',
    target: 50,
    bufferTime: 300,
    maxCapacityBreach: 'HonorMaxCapacity',
    maxCapacityBuffer: 0,
  };
  const traffic = { name: 'step', start: 0, requests };
  const expected = (at: number) => (at >= 7200 ? 40_000 : 2000) / 60;
  const { summary, decisions } = run({ minSize: 2, policies: [predictive] }, traffic, { expected });
  expect(decisions).toEqual([expect.objectContaining({ by: 'forecast', at: 6900, desired: 40 })]);
  expect(summary.dropped).toBe(0);
});

describe('for any group and traffic', () => {
  const shape = fc.constantFrom('steady', 'daily', 'spike', 'black-friday');
  const anything = fc.record({
    shape,
    rps: fc.integer({ min: 1, max: 400 }),
    seed: fc.nat(),
    spotLossPerMonth: fc.constantFrom(0, 1),
    maxSize: fc.integer({ min: 2, max: 60 }),
    boot: fc.integer({ min: 0, max: 900 }),
    targets: fc.subarray([tracking('cpu', 60), tracking('requestsPerTarget', 1000)]),
  });
  type Case = typeof anything extends fc.Arbitrary<infer T> ? T : never;

  const runCase = (one: Case) =>
    run(
      {
        minSize: 2,
        maxSize: one.maxSize,
        purchase: { onDemandBase: 1, onDemandPercentage: 20 },
        policies: one.targets,
      },
      shapedTraffic(one.shape as 'steady', { rps: one.rps, days: 1, seed: one.seed }),
      { ...one, profile: { ...profiles.ec2, boot: one.boot } },
    );

  test('served plus dropped equals demand, and served never exceeds capacity', () => {
    fc.assert(
      fc.property(anything, (one) => {
        const { series, summary } = runCase(one);
        expect(summary.served + summary.dropped).toBe(summary.demand);
        expect(series.demand.every((demand, i) => (series.served[i] as number) <= demand)).toBe(true);
        expect(series.served.every((served, i) => served <= (series.capacity[i] as number))).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  test('the same seed gives the same result', () => {
    fc.assert(
      fc.property(anything, (one) => {
        expect(JSON.stringify(runCase(one))).toBe(JSON.stringify(runCase(one)));
      }),
      { numRuns: 10 },
    );
  });

  test('a larger fixed fleet never drops more', () => {
    fc.assert(
      fc.property(anything, fc.integer({ min: 0, max: 20 }), (one, more) => {
        const fixed = (size: number) =>
          run(
            { minSize: size, maxSize: size },
            shapedTraffic(one.shape as 'steady', { rps: one.rps, days: 1, seed: one.seed }),
          ).summary.dropped;
        expect(fixed(one.maxSize + more)).toBeLessThanOrEqual(fixed(one.maxSize));
      }),
      { numRuns: 40 },
    );
  });
});
