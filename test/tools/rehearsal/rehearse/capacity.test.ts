import {
  capacityLine,
  carriedRate,
  fitRate,
  rpsWithin,
  shouldCalibrate,
} from '../../../../tools/rehearsal/rehearse/capacity';
import { scenarioOf } from '../../../../tools/rehearsal/rehearse/flags';
import { ServedPhases } from '../../../../tools/rehearsal/rehearse/served-phases';
import { isSettled } from '../../../../tools/rehearsal/rehearse/settled';
import { servers, snapshot } from '../../../support/findings';

/** The rate that a machine carries, and its effect on a scenario. */
test.each([
  [700, 420],
  [1234, 740],
  [99, 59],
  [12, 7],
  [0.4, 1],
  [0, 1],
])('at a saturation throughput of %d requests/s, the machine carries %d', (saturated, carried) => {
  expect(carriedRate(saturated)).toBe(carried);
});

test('an evolution runs at a quarter of the rate, because later phases run and start more processes', () => {
  expect(carriedRate(700, { until: 4 })).toBe(100);
});

test('a default rate is lowered so that the machine carries its peak; an explicit rate stays', () => {
  expect(fitRate(scenarioOf(3, {}), 60).load.rps).toBe(60);
  expect(fitRate(scenarioOf(3, {}), 100).load.rps).toBe(100);
  expect(fitRate(scenarioOf(3, {}), 900).load.rps).toBe(100);
  expect(fitRate(scenarioOf(4, { spike: 10 }), 300).load.rps).toBe(30);
  expect(fitRate(scenarioOf(4, { spike: 10 }), 3).load.rps).toBe(1);
  expect(fitRate(scenarioOf(3, { rps: 400 }), 60).load.rps).toBe(400);
  expect(rpsWithin({ profile: 'black-friday', rps: 200, seconds: 240, factor: 1 }, 500)).toBe(100);
});

test('one line describes the carried rate and its effect on --rps', () => {
  const line = (scenario: ReturnType<typeof scenarioOf>) => capacityLine(scenario, 60);
  const found = 'this machine carries 60 requests/s in this topology';
  expect(line(scenarioOf(3, { rps: 50 }))).toBe(found);
  expect(line(scenarioOf(3, {}))).toBe(`${found}: --rps is lowered from 100 to 60`);
  expect(line(scenarioOf(3, { rps: 400 }))).toBe(
    `${found}: --rps 400 exceeds that, so the run may not be judged; try --rps 60`,
  );
  expect(line(scenarioOf(4, { rps: 10, spike: 10 }))).toBe(
    `${found}: --rps 10 (peak 100) exceeds that, so the run may not be judged; try --rps 6`,
  );
});

test('a rehearsal of a limit other than the machine is not calibrated', () => {
  expect(shouldCalibrate(scenarioOf(3, { kill: 1 }))).toBe(true);
  expect(shouldCalibrate(scenarioOf(3, { overload: 5 }))).toBe(false);
  expect(shouldCalibrate(scenarioOf(1, { vcpu: 0.25 }))).toBe(false);
  expect(shouldCalibrate(scenarioOf(2, { profile: 'ramp' }))).toBe(false);
});

describe('requests served per phase', () => {
  const counts = (ok: number) => ({ ok, refused: 0, failed: 0, wrong: 0 });
  const of = (requests: number, failures = 0) => ({
    servers: servers()
      .slice(0, 2)
      .map((one) => ({ ...one, requests, failures })),
  });

  test('are counted by the balancer, or without one by the visitors from the second after the transition', () => {
    const served = new ServedPhases(1);
    served.record(1, of(0), counts(90));
    expect(served.all).toEqual([]);
    served.record(2, of(0), counts(90));
    expect(served.answered(2)).toBe(0);
    served.record(2, of(0), counts(20));
    served.record(2, of(0), counts(30));
    served.record(3, of(0), counts(40));
    expect(served.all).toEqual([
      { phase: 2, answered: 50 },
      { phase: 3, answered: 0 },
    ]);
    served.record(3, of(25, 5), counts(40));
    expect(served.answered(3)).toBe(40);
  });
});

describe('the topology is settled', () => {
  const rest = (changes: Partial<ReturnType<typeof snapshot>>, at = 30) =>
    isSettled({ ...snapshot(), ...changes }, [{ at: 20, action: { kind: 'lag', seconds: 8 } }], at);
  const first = (state: 'starting' | 'draining' | 'out-of-service' | 'terminated', version = '1') =>
    servers().map((one, index) => (index === 0 ? { ...one, state, version } : one));

  test('when each fault has ended, nothing is down, and the desired capacity is in service in one version', () => {
    expect(rest({})).toBe(true);
    expect(rest({}, 27)).toBe(false);
    expect(rest({ down: ['replica 1'] })).toBe(false);
    for (const state of ['starting', 'draining', 'out-of-service'] as const) {
      expect(rest({ servers: first(state) })).toBe(false);
    }
    expect(rest({ servers: first('terminated') })).toBe(false);
    expect(rest({ servers: first('terminated'), desired: 4 })).toBe(true);
    const mixed = servers().map((one, index) => ({ ...one, version: index === 0 ? '2' : '1' }));
    expect(rest({ servers: mixed })).toBe(false);
  });
});
