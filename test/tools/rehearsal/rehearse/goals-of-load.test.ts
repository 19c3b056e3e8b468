import type { Findings, RehearsalSecond } from '../../../../tools/rehearsal/rehearse/findings';
import { goalsOfLoad } from '../../../../tools/rehearsal/rehearse/goals-of-load';
import type { Scenario } from '../../../../tools/rehearsal/rehearse/scenario';
import { findings, second, servers, snapshot, traffic } from '../../../support/findings';

/** Targets of load distribution, capacity and goodput. */
const missed = (found: Findings) => goalsOfLoad(found).filter(({ met, unjudged }) => !met && unjudged === undefined);
const of = (scenario: Partial<Scenario>, changes: Partial<Findings> = {}) =>
  findings({ scenario: { ...findings().scenario, ...scenario }, ...changes });
const each = (count: number, changes: (at: number) => Partial<RehearsalSecond>) =>
  Array.from({ length: count }, (_, index) => second(index + 1, changes(index + 1)));

test('scaling policies must scale out for a spike, and in after it', () => {
  const load = { profile: 'spike', rps: 100, seconds: 30, factor: 10 } as const;
  const sized = (...sizes: number[]) =>
    of({ phase: 4, timeScale: 30, load }, { seconds: each(sizes.length, (at) => ({ inService: sizes[at - 1] ?? 0 })) });
  expect(missed(sized(2, 6, 6, 3))).toEqual([]);
  expect(missed(sized(2, 2, 2))).toHaveLength(1);
  expect(missed(sized(2, 6, 6))).toMatchObject([{ measured: '2, 6, 6' }]);
});

test('at a default rate lowered for this machine, a fleet that keeps its size is not judged', () => {
  const at = (rps: number, sizes: number[], rpsIsDefault?: true) =>
    goalsOfLoad(
      of(
        {
          phase: 4,
          timeScale: 30,
          load: { profile: 'spike', rps, seconds: 30, factor: 10 },
          ...(rpsIsDefault && { rpsIsDefault }),
        },
        { seconds: each(sizes.length, (second) => ({ inService: sizes[second - 1] ?? 0 })) },
      ),
    ).find(({ name }) => name.startsWith('servers in service'))?.unjudged;
  expect(at(18, [2, 2, 2], true)).toBe('the lowered rate needs no more servers');
  expect([at(18, [2, 2, 2]), at(100, [2, 2, 2], true), at(18, [2, 4, 4], true)]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

describe('an overload', () => {
  const load = { profile: 'spike', rps: 100, seconds: 100, factor: 5 } as const;
  const atPeak = (inTime: number, answered: number) =>
    each(100, (at) => {
      const top = at > 26 && at <= 56;
      const usual = { ok: 100, refused: 0, failed: 0, wrong: 0 };
      return { inTime: top ? inTime : 100, counts: { ...usual, ok: top ? answered : 100 } };
    });

  test('with load shedding, responses are in time and goodput stays at its level', () => {
    expect(missed(of({ overload: true, load }, { seconds: atPeak(270, 300) }))).toEqual([]);
    expect(missed(of({ overload: true, load }, { seconds: atPeak(266, 300) }))).toMatchObject([
      { measured: '89%', goal: 'at least 90%' },
    ]);
    expect(missed(of({ overload: true, load }, { seconds: atPeak(99, 100) }))).toMatchObject([
      { measured: '100/s, 99/s' },
    ]);
  });

  test('without load shedding, responses must be late', () => {
    const without = { overload: true, shedding: false, load } as const;
    expect(missed(of(without, { seconds: atPeak(266, 300) }))).toEqual([]);
    expect(missed(of(without, { seconds: atPeak(280, 300) }))).toMatchObject([{ measured: '93%' }]);
  });
});

test('a larger instance must have a higher goodput', () => {
  const action = { kind: 'resize', vcpu: 1 } as const;
  const grown = (after: number) =>
    of(
      { phase: 1, vcpu: 0.25, servers: 1 },
      {
        fired: [{ at: 10, action, before: snapshot(1) }],
        seconds: each(30, (at) => ({ inTime: at <= 10 ? 60 : at <= 23 ? 0 : after })),
      },
    );
  expect(missed(grown(150))).toEqual([]);
  expect(missed(grown(60))).toMatchObject([{ measured: '60/s, 60/s' }]);
});

describe('load distribution', () => {
  const uneven = servers().map((one, index) => ({ ...one, requests: index === 0 ? 700 : 600 }));

  test('with round robin, no server may get more than 5% above the mean', () => {
    expect(missed(of({}))).toEqual([]);
    expect(missed(of({}, { servers: uneven }))).toMatchObject([{ measured: '1.13x', goal: 'at most 1.05x' }]);
    expect(missed(of({ balance: 'leastconn' }, { servers: uneven }))).toEqual([]);
    expect(missed(of({ layer: 4 }, { servers: uneven }))).toEqual([]);
    expect(missed(of({ maxInFlight: 16 }, { servers: uneven }))).toEqual([]);
  });

  test('with source hashing, every server must get requests', () => {
    const idle = servers().map((one, index) => ({ ...one, requests: index === 0 ? 0 : 900 }));
    expect(missed(of({ balance: 'source' }, { servers: uneven }))).toEqual([]);
    expect(missed(of({ balance: 'source' }, { servers: idle }))).toMatchObject([{ measured: '0' }]);
  });

  test('servers with different times in service are not compared', () => {
    const fired = [{ at: 9, action: { kind: 'stop-servers', count: 1 }, before: snapshot() }] as const;
    expect(missed(of({}, { servers: uneven, fired }))).toEqual([]);
    expect(missed(of({}, { servers: uneven, seconds: each(30, (at) => ({ inService: at })) }))).toEqual([]);
  });

  test('with sticky sessions, no visitor may move to another server', () => {
    const visitors = { came: 200, cameBack: 20, moved: 1 };
    expect(missed(of({ balance: 'sticky' }, { servers: uneven }))).toEqual([]);
    expect(missed(of({ balance: 'sticky' }, { traffic: traffic({ visitors }) }))).toMatchObject([{ measured: '1' }]);
    expect(missed(of({ balance: 'roundrobin' }, { traffic: traffic({ visitors }) }))).toEqual([]);
  });
});

test('servers use at most 80% of the connections to the database', () => {
  const busy = (primary: number) =>
    of({}, { seconds: each(30, (at) => ({ connections: { primary: at === 9 ? primary : 5, limit: 200 } })) });
  expect(missed(busy(160))).toEqual([]);
  expect(missed(busy(161))).toMatchObject([{ measured: '161 of 200', goal: 'at most 160' }]);
});

describe('read replicas', () => {
  const forgotten = each(30, (at) => ({ queries: { primary: 9, writes: 3, replicas: at < 20 ? 9 : 0 } }));

  test('must serve reads at the end', () => {
    expect(missed(of({}, { seconds: forgotten }))).toMatchObject([
      { name: 'reads served by replicas in the last 10 s', measured: '0%' },
    ]);
    const quiet = each(30, () => ({ queries: { primary: 3, writes: 2, replicas: 0 } }));
    expect(missed(of({}, { seconds: quiet }))).toEqual([]);
    expect(missed(of({ replicas: 0 }, { seconds: forgotten }))).toEqual([]);
    expect(missed(of({ phase: 2, servers: 1 }, { seconds: forgotten }))).toEqual([]);
  });

  test('must not violate read-your-writes', () => {
    const audit = { ...findings().audit, staleReads: 1 };
    expect(missed(of({}, { audit }))).toMatchObject([{ name: 'read-your-writes violations' }]);
    expect(missed(of({ sessions: 'memory' }, { audit }))).toEqual([]);
  });
});
