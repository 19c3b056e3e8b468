import { exercisedGoals } from '../../../../tools/rehearsal/rehearse/exercised';
import type { Findings } from '../../../../tools/rehearsal/rehearse/findings';
import type { Action, Scenario } from '../../../../tools/rehearsal/rehearse/scenario';
import { judge } from '../../../../tools/rehearsal/rehearse/verdict';
import { findings, second, servers, snapshot } from '../../../support/findings';

/** Each action must have had an effect to observe. */
const of = (scenario: Partial<Scenario>, changes: Partial<Findings> = {}) =>
  findings({ scenario: { ...findings().scenario, ...scenario }, ...changes });
const after = (action: Action, changes: Partial<Findings> = {}, before = snapshot()) =>
  findings({ fired: [{ at: 10, action, before }], ...changes });
const why = (found: Findings) => exercisedGoals(found).map(({ unjudged }) => unjudged?.replace(/^.*: /, ''));
const idle = { ...snapshot(), servers: snapshot().servers.map((one) => ({ ...one, requests: 0 })) };
const LATE = { lateMs: 300, busy: 1 };

describe('an evolution', () => {
  const served = (...answered: number[]) =>
    of(
      { phase: 1, until: 4, servers: 1 },
      {
        served: answered.map((count, index) => ({ phase: (index + 2) as 2 | 3 | 4, answered: count })),
        edge: { lookups: 900, hits: 500 },
      },
    );

  test('has a target for each phase: its own servers served requests', () => {
    expect(exercisedGoals(served(400, 300, 200)).map(({ name, met }) => [name, met])).toEqual([
      ['phase 2 was exercised', true],
      ['phase 3 was exercised', true],
      ['phase 4 was exercised', true],
    ]);
    expect(judge(served(400, 300, 200)).verdict).toBe('passed');
  });

  const late = (found: Findings) => ({ ...found, seconds: found.seconds.map((one) => ({ ...one, ...LATE })) });
  const missed = { verdict: 'missed', reason: '1 of 16 targets missed: phase 4 was not exercised' };

  test('misses it when phase 4 serves but gets no request, also with a late generator', () => {
    expect(judge(served(400, 300, 0))).toMatchObject(missed);
    expect(judge(late(served(400, 300, 0)))).toMatchObject(missed);
  });

  test('misses it when phase 4 never served, unless this machine was too busy to start it', () => {
    expect(judge(served(400, 300))).toMatchObject(missed);
    expect(judge(late(served(400, 300)))).toMatchObject({
      verdict: 'not judged',
      reason: 'phase 4 was not exercised; this machine carries 60 requests/s; try --rps 60',
    });
  });

  test('from the board has the same targets', () => {
    const [missed] = exercisedGoals(after({ kind: 'next-phase' }));
    expect(missed).toMatchObject({ name: 'phase 4 was not exercised', met: false });
  });
});

test('steps that were not executed are named', () => {
  const action = { kind: 'kill-servers', count: 1 } as const;
  const steps = [{ at: 20, action }];
  expect(judge(of({ steps }))).toMatchObject({
    verdict: 'not judged',
    reason: 'kill-servers at 20 s: was not executed; try more --seconds or --rps',
  });
  expect(exercisedGoals(of({ steps }, { fired: [{ at: 20, action, before: snapshot() }] }))).toEqual([]);
});

test('killed or stopped servers must have served requests', () => {
  for (const kind of ['kill-servers', 'stop-servers', 'spot-notice'] as const) {
    expect(why(after({ kind, count: 1 }, {}, idle))).toEqual(['its servers had served no requests']);
  }
  expect(why(after({ kind: 'kill-servers', count: 1 }))).toEqual([]);
  const fresh = {
    ...idle,
    servers: idle.servers.map((one) => ({ ...one, requests: one.name === 'server-3' ? 9 : 0 })),
  };
  expect(why(after({ kind: 'kill-servers', count: 1, server: 'server-3' }, {}, fresh))).toEqual([]);
  expect(why(after({ kind: 'kill-zone', zone: 'c' }, {}, fresh))).toEqual([]);
  expect(why(after({ kind: 'kill-zone', zone: 'a' }, {}, fresh))).toEqual([
    'servers of the zone had served no requests',
  ]);
});

test('without a balancer, the requests of the single server are those of its visitors', () => {
  const box = { ...snapshot(1), servers: snapshot(1).servers.map((one) => ({ ...one, counted: false, requests: 0 })) };
  const kill = { kind: 'kill-servers', count: 1 } as const;
  expect(why(after(kill, {}, box))).toEqual([]);
  const seconds = findings().seconds.map((one) => ({ ...one, counts: { ...one.counts, ok: one.at > 15 ? 9 : 0 } }));
  expect(why(after(kill, { seconds }, box))).toEqual(['its servers had served no requests']);
});

test('stopped servers must have terminated before the traffic ends', () => {
  const stop = { kind: 'stop-servers', count: 1 } as const;
  expect(why(after(stop))).toEqual(['its servers had not terminated when the traffic ended']);
  const left = servers().map((one, index) => (index === 0 ? { ...one, state: 'terminated' as const } : one));
  expect(why(after(stop, { servers: left }))).toEqual([]);
});

test('a new version must be on every server, and must have served requests', () => {
  const deployed = (version: string, requests: number) => [
    ...servers().map((one) => ({ ...one, state: 'terminated' as const })),
    ...servers().map((one, index) => ({ ...one, version: index === 0 ? version : '2', requests })),
  ];
  const found = (version: string, requests: number) =>
    why(after({ kind: 'deploy' }, { servers: deployed(version, requests) }));
  expect(found('2', 100)).toEqual([]);
  expect(found('1', 100)).toEqual(['the new version was not on every server when the traffic ended']);
  expect(found('2', 0)).toEqual(['the new version was not on every server when the traffic ended']);
});

test('a new desired capacity must have been in service under traffic', () => {
  const seconds = Array.from({ length: 30 }, (_, index) => second(index + 1, { inService: index > 20 ? 7 : 5 }));
  expect(why(after({ kind: 'scale', servers: 7 }, { seconds }))).toEqual([]);
  expect(why(after({ kind: 'scale', servers: 10 }, { seconds }))).toEqual([
    '10 servers were never in service during the traffic',
  ]);
});

test('killed or lagging replicas must have served reads', () => {
  const seconds = findings().seconds.map((one) => ({
    ...one,
    queries: { ...one.queries, replicas: one.at > 15 ? 9 : 0 },
  }));
  for (const kind of ['kill-replica', 'lag'] as const) {
    expect(why(after({ kind, seconds: 5 }))).toEqual([]);
    expect(why(after({ kind, seconds: 5 }, { seconds }))).toEqual(['replicas had served no reads']);
  }
});
