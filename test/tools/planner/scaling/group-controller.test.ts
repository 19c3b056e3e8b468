import fc from 'fast-check';
import { GroupController } from '../../../../tools/planner/scaling/group-controller';
import { profiles } from '../../../../tools/planner/scaling/profile';
import type { ScalingGroup, ScalingPolicy } from '../../../../tools/planner/scaling/scaling-group';
import { follow, GROUP, GUIDE, minutes, onCpu } from './group';

const cpuAt = (target: number, more: object = {}): ScalingPolicy => ({
  kind: 'target tracking',
  id: 'Cpu',
  metric: 'cpu',
  target,
  disableScaleIn: false,
  warmup: 0,
  ...more,
});

const change = (
  adjustment: number,
  comparison: 'above' | 'below',
  threshold: number,
  more: object = {},
): ScalingPolicy =>
  ({
    kind: 'simple',
    id: adjustment > 0 ? 'More' : 'Fewer',
    adjustmentType: 'ChangeInCapacity',
    adjustment,
    alarms: [onCpu(comparison, threshold)],
    ...more,
  }) as ScalingPolicy;

describe('examples of the user guide', () => {
  test('maximum and minimum size limit the capacity', () => {
    const out = { ...GROUP, maxSize: 3, policies: [change(3, 'above', 70)] };
    expect(follow(out, 2, [{ cpu: 90 }])).toEqual([3]);
    const into = { ...GROUP, minSize: 2, policies: [change(-2, 'below', 30)] };
    expect(follow(into, 3, [{ cpu: 10 }])).toEqual([2]);
  });

  test('of two scale-in policies, the larger capacity wins', () => {
    const quarter = change(-25, 'below', 30, { id: 'Quarter', adjustmentType: 'PercentChangeInCapacity' });
    const group = { ...GROUP, policies: [change(-3, 'below', 30), quarter] };
    expect(follow(group, 8, [{ cpu: 10 }])).toEqual([6]);
  });

  test('the step scaling example results in 10, 11, 14, 13, 10', () => {
    const group = { ...GROUP, policies: GUIDE };
    expect(follow(group, 10, [{ cpu: 60 }, { cpu: 70 }, { cpu: 40 }, { cpu: 30 }])).toEqual([11, 14, 13, 10]);
  });

  test('a warming server counts as capacity, and not as a base for more', () => {
    const group = { ...GROUP, policies: GUIDE.map((policy) => ({ ...policy, warmup: 300 })) };
    expect(follow(group, 10, [{ cpu: 60 }, { cpu: 62 }, { cpu: 70 }])).toEqual([11, 11, 13]);
  });

  test('target tracking rounds up on scale-out and scale-in', () => {
    const group = { ...GROUP, policies: [cpuAt(50)] };
    expect(follow(group, 5, minutes(3, { cpu: 65 }))).toEqual([5, 5, 7]);
    expect(follow(group, 5, minutes(15, { cpu: 34.9 })).slice(-2)).toEqual([5, 4]);
  });

  test('the scale-in threshold depends on the profile', () => {
    const group = { ...GROUP, policies: [cpuAt(50)] };
    expect(follow(group, 10, minutes(60, { cpu: 42.5 }), 'ec2').at(-1)).toBe(10);
    const ecs = follow(group, 10, minutes(15, { cpu: 42.5 }), 'ecs');
    expect(ecs.slice(-2)).toEqual([10, 9]);
  });
});

describe('predictive scaling', () => {
  const HOUR = 3600;
  const predictive = (more: object = {}): ScalingPolicy => ({
    kind: 'predictive',
    id: 'Predictive',
    mode: 'ForecastAndScale',
    metric: 'cpu',
    target: 50,
    bufferTime: 300,
    maxCapacityBreach: 'HonorMaxCapacity',
    maxCapacityBuffer: 0,
    ...more,
  });

  const controllerFor = (group: ScalingGroup, desired: number, forecast?: (at: number) => number) =>
    new GroupController(group, { profile: profiles.ec2, start: 0, desired, forecast });

  test.each([
    ['HonorMaxCapacity', 0, 40],
    ['IncreaseMaxCapacity', 0, 50],
    ['IncreaseMaxCapacity', 10, 50],
  ])('a forecast of 50 above a maximum of 40, %s with a buffer of %i%%, is %i servers', (breach, buffer, expected) => {
    const policies = [predictive({ maxCapacityBreach: breach, maxCapacityBuffer: buffer })];
    const controller = controllerFor({ ...GROUP, maxSize: 40, policies }, 30, () => 50);
    controller.step(60, { inService: 30 });
    expect(controller.desired).toBe(expected);
  });

  test('the larger of forecast and target tracking wins', () => {
    const controller = controllerFor({ ...GROUP, policies: [cpuAt(50), predictive()] }, 5, () => 8);
    for (let minute = 1; minute <= 3; minute += 1) controller.step(minute * 60, { inService: 5, cpu: 100 });
    expect(controller.desired).toBe(10);
    for (let minute = 4; minute <= 30; minute += 1) controller.step(minute * 60, { inService: 10, cpu: 1 });
    expect(controller.desired).toBe(8);
  });

  test('a forecast applies from its buffer time before the hour', () => {
    const forecast = (at: number) => (at >= HOUR ? 9 : 2);
    const controller = controllerFor({ ...GROUP, policies: [predictive()] }, 2, forecast);
    controller.step(HOUR - 360, { inService: 2 });
    expect(controller.desired).toBe(2);
    expect(controller.step(HOUR - 300, { inService: 2 })).toEqual([
      expect.objectContaining({ by: 'forecast', from: 2, desired: 9 }),
    ]);
  });

  test('has no forecast on the first day, then repeats the load, and never scales in', () => {
    const controller = controllerFor({ ...GROUP, policies: [predictive()] }, 4);
    const seen: number[] = [];
    for (let minute = 1; minute <= 27 * 60; minute += 1) {
      const hour = Math.floor((minute - 1) / 60);
      controller.step(minute * 60, { inService: controller.desired, cpu: hour === 1 ? 100 : 10 });
      if (minute % 60 === 0) seen.push(controller.desired);
    }
    expect(seen.slice(0, 24)).toEqual(Array(24).fill(4));
    // 4 servers at 100% in the second hour are 8 at 50%.
    expect(seen.slice(24)).toEqual([8, 8, 8]);
  });

  test('ForecastOnly changes nothing', () => {
    const controller = controllerFor({ ...GROUP, policies: [predictive({ mode: 'ForecastOnly' })] }, 4, () => 9);
    expect(controller.step(60, { inService: 4 })).toEqual([]);
  });
});

describe('several policies', () => {
  const requests: ScalingPolicy = { ...cpuAt(1000), id: 'Requests', metric: 'requestsPerTarget' } as ScalingPolicy;

  test('one policy is enough to scale out, all must agree to scale in', () => {
    const group = { ...GROUP, policies: [cpuAt(50), requests] };
    expect(follow(group, 4, minutes(3, { cpu: 20, requestsPerTarget: 2000 })).at(-1)).toBe(8);
    expect(follow(group, 4, minutes(60, { cpu: 20, requestsPerTarget: 900 })).at(-1)).toBe(4);
    expect(follow(group, 4, minutes(15, { cpu: 20, requestsPerTarget: 600 })).at(-1)).toBe(3);
    // By CPU 2 would do, but 3 x 690 / 1000 is more than 2.
    expect(follow(group, 3, minutes(60, { cpu: 20, requestsPerTarget: 690 })).at(-1)).toBe(3);
  });

  test('a policy with scale-in disabled does not prevent scale-in', () => {
    const group = { ...GROUP, policies: [cpuAt(50), { ...requests, disableScaleIn: true } as ScalingPolicy] };
    expect(follow(group, 4, minutes(15, { cpu: 20, requestsPerTarget: 900 })).at(-1)).toBe(3);
  });

  test('target tracking does not scale in during a warm-up', () => {
    const group = { ...GROUP, policies: [cpuAt(50, { warmup: 1800 })] };
    const desired = follow(group, 2, [...minutes(3, { cpu: 60 }), ...minutes(40, { cpu: 5 })]);
    // In service from minute 3 on, warm half an hour later.
    expect([2, 31, 32].map((minute) => desired[minute])).toEqual([3, 3, 2]);
  });

  test('target tracking removes at most a tenth of the group per minute', () => {
    const group = { ...GROUP, policies: [cpuAt(50)] };
    expect(follow(group, 40, minutes(18, { cpu: 5 })).slice(-5)).toEqual([40, 36, 33, 30, 27]);
  });

  test('a missing metric prevents scale-in and scale-out', () => {
    const group = { ...GROUP, policies: [cpuAt(50), requests] };
    expect(follow(group, 4, minutes(60, { cpu: 20 })).at(-1)).toBe(4);
    expect(follow(group, 4, minutes(60, {})).at(-1)).toBe(4);
  });

  test('target tracking does not prevent scale-in by a step policy', () => {
    const down: ScalingPolicy = { ...(GUIDE[1] as ScalingPolicy) };
    const group = { ...GROUP, policies: [requests, down] };
    expect(follow(group, 10, [{ cpu: 30, requestsPerTarget: 990 }])).toEqual([7]);
  });
});

describe('cooldown of simple scaling policies', () => {
  const rules = (cooldown: number) => ({
    ...GROUP,
    policies: [change(2, 'above', 70, { cooldown }), change(-3, 'below', 30, { cooldown })],
  });

  test('nothing changes until the servers are in service and the cooldown has ended', () => {
    const controller = new GroupController(rules(300), { profile: profiles.ec2, start: 0, desired: 2 });
    const desired = Array.from({ length: 12 }, (_, minute) => {
      // The two servers requested in minute 1 are in service in minute 4.
      controller.step((minute + 1) * 60, { inService: minute < 4 ? 2 : controller.desired, cpu: 90 });
      return controller.desired;
    });
    expect(desired).toEqual([4, 4, 4, 4, 4, 4, 4, 4, 4, 6, 6, 6]);
  });

  test('without a cooldown, every minute in ALARM state changes the capacity', () => {
    expect(follow(rules(0), 2, minutes(4, { cpu: 90 }))).toEqual([4, 6, 8, 10]);
  });
});

test('steps shorter than a minute are averaged', () => {
  const group = { ...GROUP, policies: [cpuAt(50)] };
  const controller = new GroupController(group, { profile: profiles.ec2, start: 0, desired: 2 });
  const when: number[] = [];
  for (let second = 5; second <= 300; second += 5) {
    // 40% and 80% in turn: 60% in the mean of each minute.
    when.push(
      ...controller.step(second, { inService: controller.desired, cpu: second % 10 ? 40 : 80 }).map(({ at }) => at),
    );
  }
  expect(when).toEqual([180, 240, 300]);
});

test('scheduled actions follow daylight saving time', () => {
  const start = Date.UTC(2026, 2, 28) / 1000;
  const group = {
    ...GROUP,
    schedule: [
      { id: 'Morning', recurrence: '0 7 * * *', timeZone: 'Europe/Paris', minSize: 6 },
      { id: 'Night', recurrence: '0 23 * * *', timeZone: 'Europe/Paris', minSize: 2, desiredCapacity: 2 },
    ],
  };
  const controller = new GroupController(group, { profile: profiles.ec2, start, desired: 2 });
  const changes: string[] = [];
  for (let now = start + 60; now <= start + 2 * 86_400; now += 60) {
    for (const { at, desired } of controller.step(now, { inService: controller.desired })) {
      changes.push(`${new Date(at * 1000).toISOString().slice(8, 16)} ${desired}`);
    }
  }
  // Daylight saving time starts on the 29th: 7:00 is an hour earlier in UTC.
  expect(changes).toEqual(['28T06:00 6', '28T22:00 2', '29T05:00 6', '29T21:00 2']);
});

test('rejects an invalid recurrence', () => {
  const schedule = [{ id: 'Never', recurrence: '99 7 * * *', timeZone: 'Etc/UTC' }];
  expect(() => new GroupController({ ...GROUP, schedule }, { profile: profiles.ec2, start: 0 })).toThrow(
    'The recurrence of scheduled action Never must be a five-field cron expression in an IANA time zone, got "99 7 * * *" in Etc/UTC.',
  );
});

describe('for any group and load', () => {
  const policy = fc.oneof(
    fc
      .record({ target: fc.integer({ min: 10, max: 90 }), warmup: fc.integer({ min: 0, max: 600 }), off: fc.boolean() })
      .map(({ target, warmup, off }) => cpuAt(target, { warmup, disableScaleIn: off })),
    fc.constantFrom(...GUIDE.map((one) => ({ ...one, warmup: 180 }))),
    fc.integer({ min: 0, max: 600 }).map((cooldown) => change(2, 'above', 70, { cooldown })),
    fc.integer({ min: 0, max: 600 }).map((cooldown) => change(-3, 'below', 30, { cooldown })),
  );
  const loads = fc.array(fc.option(fc.double({ min: 0, max: 100, noNaN: true }), { nil: undefined }), {
    minLength: 20,
    maxLength: 120,
  });
  const bounds = fc.tuple(fc.integer({ min: 0, max: 10 }), fc.integer({ min: 0, max: 30 }));
  const cases = { policies: fc.array(policy, { maxLength: 4 }), bounds, loads, boot: fc.integer({ min: 0, max: 6 }) };

  /** Runs a controller with servers that launch after `boot` minutes, and calls back after each step. */
  function run(
    group: ScalingGroup,
    loads: readonly (number | undefined)[],
    boot: number,
    look: (controller: GroupController, before: number, warming: number) => void,
  ) {
    const controller = new GroupController(group, { profile: profiles.ec2, start: 0 });
    const wanted = Array(boot).fill(controller.desired);
    loads.forEach((cpu, minute) => {
      wanted.push(controller.desired);
      const inService = Math.min(controller.desired, wanted.shift());
      const before = controller.desired;
      controller.step((minute + 1) * 60, { inService, cpu });
      look(controller, before, controller.warming);
    });
  }

  test('the desired capacity stays within minimum and maximum size', () => {
    fc.assert(
      fc.property(fc.record(cases), ({ policies, bounds: [minSize, more], loads, boot }) => {
        const group = { ...GROUP, minSize, maxSize: minSize + more, policies };
        run(group, loads, boot, ({ desired }) => {
          expect(desired).toBeGreaterThanOrEqual(minSize);
          expect(desired).toBeLessThanOrEqual(minSize + more);
        });
      }),
    );
  });

  test('no policy removes servers during a warm-up', () => {
    fc.assert(
      fc.property(fc.record(cases), ({ policies, bounds: [minSize, more], loads, boot }) => {
        const group = { ...GROUP, minSize, maxSize: minSize + more, policies };
        run(group, loads, boot, ({ desired }, before, warming) => {
          if (warming > 0) expect(desired).toBeGreaterThanOrEqual(before);
        });
      }),
    );
  });

  test('the desired capacity never decreases with scale-in disabled, and never changes without policies', () => {
    fc.assert(
      fc.property(fc.record(cases), ({ bounds: [minSize, more], loads, boot }) => {
        const group = { ...GROUP, minSize, maxSize: minSize + more };
        run({ ...group, policies: [cpuAt(50, { disableScaleIn: true })] }, loads, boot, ({ desired }, before) => {
          expect(desired).toBeGreaterThanOrEqual(before);
        });
        run(group, loads, boot, ({ desired }) => expect(desired).toBe(minSize));
      }),
    );
  });
});
