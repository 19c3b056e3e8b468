import type { Findings, RehearsalSecond } from '../../../../tools/rehearsal/rehearse/findings';
import type { Scenario } from '../../../../tools/rehearsal/rehearse/scenario';
import { EXIT_CODES, judge } from '../../../../tools/rehearsal/rehearse/verdict';
import { findings, second, snapshot, traffic } from '../../../support/findings';

/** Verdicts of rehearsals. */
const of = (scenario: Partial<Scenario>, changes: Partial<Findings> = {}) =>
  findings({ scenario: { ...findings().scenario, ...scenario }, ...changes });
const verdict = (found: Findings) => {
  const { verdict, reason } = judge(found);
  return { verdict, reason };
};
const each = (count: number, changes: (at: number) => Partial<RehearsalSecond>) =>
  Array.from({ length: count }, (_, index) => second(index + 1, changes(index + 1)));

const LATE = { lateMs: 300, busy: 1, idle: 0 };
const failing = (failed: number) => ({ ok: 100 - failed, refused: 0, failed, wrong: 0 });
const failed = (failed: number) =>
  traffic({ counts: { ok: 3000 - failed, refused: 0, failed, wrong: 0 }, failures: { 503: failed } });
const { audit } = findings();

test('each verdict has an exit code, distinct from that of bad input', () => {
  expect(EXIT_CODES).toEqual({ passed: 0, missed: 1, 'not judged': 3 });
});

test('a punctual run passes, or names the missed targets', () => {
  expect(verdict(findings())).toEqual({ verdict: 'passed', reason: 'all 12 targets met' });
  expect(verdict(findings({ traffic: failed(1) }))).toEqual({
    verdict: 'missed',
    reason: '1 of 12 targets missed: failed requests',
  });
});

describe('a late generator', () => {
  const late = (count: number, changes: Partial<Findings> = {}) =>
    findings({ seconds: each(30, (at) => (at <= count ? LATE : {})), traffic: failed(500), ...changes });

  test('did not send the planned load, so failures are not judged', () => {
    const { verdict, reason, goals } = judge(late(4));
    // It reached 100 requests per second, of which the machine carries 60%.
    expect({ verdict, reason }).toEqual({
      verdict: 'not judged',
      reason: 'this machine carries 60 requests/s; try --rps 60',
    });
    const open = goals.filter(({ unjudged }) => unjudged === 'the load generator was late').map(({ name }) => name);
    expect(open).toContain('failed requests');
    expect(goals.filter(({ met }) => met).map(({ name }) => name)).toEqual([
      'orders lost',
      'cart items lost',
      'logins lost',
      'unrequested orders and cart items',
      'products with inconsistent stock',
      'peak connections to the primary',
      'read-your-writes violations',
    ]);
  });

  test('does not pass either', () => {
    expect(judge(late(4, { traffic: traffic() })).verdict).toBe('not judged');
  });

  test('is late for more than 10% of the time with traffic, regardless of the number of seconds', () => {
    expect(judge(late(3, { traffic: traffic() })).verdict).toBe('passed');
    const long = [...each(26, () => ({})), second(30.5, LATE)];
    expect(judge(findings({ seconds: long })).verdict).toBe('not judged');
    const after = [...each(30, () => ({})), ...[31, 32, 33, 34, 35].map((at) => second(at, { ...LATE, due: 0 }))];
    expect(judge(findings({ seconds: after })).verdict).toBe('passed');
  });

  test.each([
    ['orders', 'orders lost'],
    ['cartItems', 'cart items lost'],
    ['logIns', 'logins lost'],
  ] as const)('does not excuse lost %s', (what, name) => {
    const lost = { ...audit, [what]: { acknowledged: 20, lost: 1 } };
    expect(verdict(late(30, { audit: lost }))).toEqual({
      verdict: 'missed',
      reason: `1 of 12 targets missed: ${name}`,
    });
  });

  test('does not excuse unrequested orders, wrong stock, stale reads or too many connections', () => {
    expect(judge(late(30, { audit: { ...audit, unasked: 1 } })).verdict).toBe('missed');
    expect(judge(late(30, { audit: { ...audit, stockErrors: 1 } })).verdict).toBe('missed');
    expect(judge(late(30, { audit: { ...audit, staleReads: 1 } })).verdict).toBe('missed');
    const crowd = each(30, () => ({ ...LATE, connections: { primary: 161, limit: 200 } }));
    expect(judge(late(30, { seconds: crowd })).verdict).toBe('missed');
  });

  test('gets the calibrated rate as a suggestion, if the load exceeded it from the start', () => {
    expect(judge(late(30, { carried: 40 })).reason).toBe('this machine carries 40 requests/s; try --rps 40');
    // The machine became busy after the calibration.
    expect(judge(late(30, { carried: 400 })).reason).toBe('this machine carries 60 requests/s; try --rps 60');
    const load = { profile: 'spike', rps: 100, seconds: 30, factor: 10 } as const;
    expect(judge(of({ load }, { seconds: each(30, () => LATE), carried: 400 })).reason).toBe(
      'this machine carries 400 requests/s; try --rps 40',
    );
  });
});

describe('a machine that carries less than the load', () => {
  test('passes without failures, and is not judged with failures', () => {
    expect(judge(findings({ carried: 40 })).verdict).toBe('passed');
    expect(verdict(findings({ carried: 40, traffic: failed(1) }))).toEqual({
      verdict: 'not judged',
      reason: 'this machine carries 40 requests/s; try --rps 40',
    });
    expect(judge(findings({ carried: 100, traffic: failed(1) })).verdict).toBe('missed');
    expect(judge(findings({ carried: 40, audit: { ...audit, unasked: 1 } })).verdict).toBe('missed');
  });
});

describe('seconds in which the machine had no CPU time left', () => {
  const at20 = (changes: Partial<RehearsalSecond>) => each(30, (at) => (at === 20 ? changes : {}));

  test('excuse their failures', () => {
    const strained = { counts: failing(7), idle: 0 };
    expect(judge(findings({ seconds: at20(strained), traffic: failed(7) })).verdict).toBe('not judged');
    expect(judge(findings({ seconds: at20({ counts: failing(7) }), traffic: failed(7) })).verdict).toBe('missed');
    // Seven failures are excused, the eighth is not.
    expect(judge(findings({ seconds: at20(strained), traffic: failed(8) })).verdict).toBe('missed');
  });

  test('excuse failures of the following second, in which their requests complete', () => {
    const seconds = each(30, (at) => ({
      ...(at === 20 && { idle: 0 }),
      ...((at === 21 || at === 22) && { counts: failing(1) }),
    }));
    expect(judge(findings({ seconds, traffic: failed(2) })).verdict).toBe('missed');
    const [, ...rest] = seconds;
    const one = rest.map((second) => (second.at === 22 ? { ...second, counts: failing(0) } : second));
    expect(judge(findings({ seconds: one, traffic: failed(1) })).verdict).toBe('not judged');
  });

  test('do not excuse a wrong response', () => {
    const wrong = { ok: 99, refused: 0, failed: 0, wrong: 1 };
    const counts = { ...traffic().counts, ok: 2999, wrong: 1 };
    const found = findings({ seconds: at20({ counts: wrong, idle: 0 }), traffic: traffic({ counts }) });
    expect(judge(found).verdict).toBe('missed');
  });

  test('do not make an outage longer', () => {
    const action = { kind: 'kill-database', seconds: 5 } as const;
    const down = (idle: number) =>
      of(
        { phase: 2, servers: 1 },
        {
          fired: [{ at: 10, action, before: snapshot(1) }],
          seconds: each(60, (at) => ({
            idle: at > 40 ? idle : 0.5,
            counts: failing(at > 10 && (at < 16 || at === 45) ? 5 : 0),
          })),
          traffic: failed(30),
        },
      );
    expect(verdict(down(0.5))).toEqual({
      verdict: 'missed',
      reason: expect.stringContaining('kill-database: recovery time'),
    });
    expect(judge(down(0)).verdict).toBe('not judged');
  });
});

describe('a target without data is not judged', () => {
  const none = { acknowledged: 0, lost: 0 };

  test('without confirmed data', () => {
    const nothing = { ...audit, orders: none, cartItems: none, logIns: none };
    const { verdict, reason, goals } = judge(findings({ audit: nothing }));
    expect(verdict).toBe('not judged');
    expect(reason).toMatch(/^no orders were confirmed; .*; try more --seconds or --rps$/);
    expect(goals.filter(({ name, met }) => /lost|unrequested|stock|receipt|your-writes/.test(name) && met)).toEqual([]);
    expect(judge(findings({ audit: { ...audit, orders: none } })).verdict).toBe('not judged');
  });

  test('without requests', () => {
    const counts = { ok: 0, refused: 0, failed: 0, wrong: 0 };
    const { verdict, goals } = judge(findings({ seconds: [], traffic: traffic({ due: 0, counts }) }));
    expect(verdict).toBe('not judged');
    expect(goals.find(({ name }) => name === 'failed requests')).toMatchObject({
      met: false,
      unjudged: 'no requests were sent',
    });
  });

  test('without refused requests, unless sessions are in another store', () => {
    const fired = [{ at: 10, action: { kind: 'kill-redis', seconds: 5 }, before: snapshot() }] as const;
    expect(verdict(findings({ fired }))).toEqual({
      verdict: 'not judged',
      reason: 'no requests were refused; try more --seconds or --rps',
    });
    expect(judge(of({ sessions: 'cookie' }, { fired })).verdict).toBe('passed');
  });

  test('for a kill after the traffic', () => {
    const action = { kind: 'kill-servers', count: 1 } as const;
    const kill = (at: number) => findings({ fired: [{ at, action, before: snapshot() }] });
    expect(judge(kill(10)).verdict).toBe('passed');
    expect(verdict(kill(30))).toEqual({
      verdict: 'not judged',
      reason: expect.stringContaining('no requests followed'),
    });
  });

  test('without enough reads of replicas, caches or the edge', () => {
    const quiet = each(30, () => ({ queries: { primary: 3, writes: 2.9, replicas: 0 } }));
    expect(judge(findings({ seconds: quiet })).verdict).toBe('not judged');
    const early = each(30, (at) => ({ queries: { primary: 1, writes: 1, replicas: at < 9 ? 3 : 0 } }));
    expect(judge(findings({ seconds: early })).verdict).toBe('passed');
    const few = traffic({ sources: { edge: 0, cache: 2, database: 1 } });
    expect(judge(findings({ traffic: few })).verdict).toBe('not judged');
    const broken = traffic({ sources: { edge: 0, cache: 0, database: 600 } });
    expect(judge(findings({ traffic: broken })).reason).toContain('catalogue responses from a cache');
    expect(judge(of({ cache: false }, { traffic: broken })).verdict).toBe('passed');
    const edge = (lookups: number, hits: number) => judge(of({ phase: 4 }, { edge: { lookups, hits } })).verdict;
    expect([edge(80, 60), edge(80, 0), edge(3, 0)]).toEqual(['passed', 'missed', 'not judged']);
    expect(judge(of({ phase: 4 })).verdict).toBe('not judged');
  });

  test('with too few requests per server', () => {
    const servers = findings().servers.map((one, index) => ({ ...one, requests: index === 0 ? 5 : 4 }));
    expect(verdict(findings({ servers }))).toEqual({
      verdict: 'not judged',
      reason: '4 requests per server are too few to compare; try more --seconds or --rps',
    });
    const idle = findings().servers.map((one) => ({ ...one, requests: 0 }));
    expect(judge(findings({ servers: idle })).verdict).toBe('not judged');
  });

  test('on a machine without CPU quotas', () => {
    const load = { profile: 'spike', rps: 100, seconds: 100, factor: 5 } as const;
    const overload = (changes: Partial<Findings>) => judge(of({ overload: true, load }, changes)).goals;
    const share = (goals: ReturnType<typeof overload>) =>
      goals.find(({ name }) => name.startsWith('responses within 1 s at the peak'));
    expect(share(overload({}))?.unjudged).toBeUndefined();
    expect(share(overload({ unconfined: true }))?.unjudged).toBe('this machine sets no CPU quotas');
  });
});
