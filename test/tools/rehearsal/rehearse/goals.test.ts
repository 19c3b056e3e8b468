import { HEALTH_INTERVAL, HEALTH_UNHEALTHY_COUNT } from '../../../../lib/constants';
import type { Findings } from '../../../../tools/rehearsal/rehearse/findings';
import type { Goal } from '../../../../tools/rehearsal/rehearse/goal';
import { goalsOf } from '../../../../tools/rehearsal/rehearse/goals';
import type { Action, Scenario } from '../../../../tools/rehearsal/rehearse/scenario';
import { findings, second, snapshot, traffic } from '../../../support/findings';

/** Targets of a rehearsal, and the conditions that miss them. */
const missed = (found: Findings) => goalsOf(found).filter(({ met, unjudged }) => !met && unjudged === undefined);
const named = (found: Findings, name: RegExp) => goalsOf(found).find((goal) => name.test(goal.name)) as Goal;
const counts = (failed: number) => ({ ok: 3000 - failed, refused: 0, failed, wrong: 0 });

function after(action: Action, changes: Partial<Findings> = {}, scenario: Partial<Scenario> = {}): Findings {
  return findings({
    scenario: { ...findings().scenario, ...scenario },
    fired: [{ at: 10, action, before: snapshot(scenario.servers) }],
    ...changes,
  });
}

test('a rehearsal without failures misses no target', () => {
  expect(missed(findings())).toEqual([]);
});

test.each([
  ['orders', 'orders lost'],
  ['cartItems', 'cart items lost'],
  ['logIns', 'logins lost'],
] as const)('a single loss among the %s misses the target', (what, name) => {
  const { audit } = findings();
  const found = findings({ audit: { ...audit, [what]: { acknowledged: 20, lost: 1 } } });
  expect(missed(found)).toEqual([{ name, measured: '1 of 20 confirmed', goal: '0', met: false, definite: true }]);
});

test('unrequested orders and inconsistent stock miss targets', () => {
  const { audit } = findings();
  expect(missed(findings({ audit: { ...audit, unasked: 1, stockErrors: 2 } })).map(({ measured }) => measured)).toEqual(
    ['1', '2'],
  );
});

test('requests of a ramp may fail beyond saturation', () => {
  const { scenario } = findings();
  const ramp = { ...scenario, load: { ...scenario.load, profile: 'ramp' } } as const;
  expect(missed(findings({ scenario: ramp, traffic: traffic({ counts: counts(100) }) }))).toEqual([]);
});

test('an order without a receipt misses a target', () => {
  const { audit } = findings();
  expect(missed(findings({ audit: { ...audit, receiptsWaiting: 1 } }))).toMatchObject([
    { name: 'orders without a receipt at the end', measured: '1' },
  ]);
});

test('without a fault, and when servers stop gracefully, no request may fail', () => {
  const one = traffic({ counts: counts(1) });
  expect(missed(findings({ traffic: one }))).toMatchObject([{ name: 'failed requests', goal: '0' }]);
  for (const action of [
    { kind: 'stop-servers', count: 1 },
    { kind: 'spot-notice', count: 2 },
    { kind: 'deploy' },
    { kind: 'scale', servers: 10 },
    { kind: 'kill-workers', count: 1 },
  ] as const) {
    expect(missed(after(action, { traffic: one }))).toMatchObject([{ name: 'failed requests', goal: '0' }]);
  }
});

const WINDOW = HEALTH_INTERVAL * HEALTH_UNHEALTHY_COUNT;

test.each<[Action, Scenario['balance'], number]>([
  [{ kind: 'kill-servers', count: 1 }, undefined, 4 + (100 * WINDOW) / 5],
  [{ kind: 'kill-servers', count: 2 }, 'roundrobin', 4 + (100 * WINDOW * 2) / 5],
  [{ kind: 'kill-servers', count: 1 }, 'sticky', 4 + 100 * WINDOW * 0.4],
  [{ kind: 'kill-servers', count: 1 }, 'leastconn', 4 + 100 * WINDOW],
])(
  '%j with %s: failures are limited to requests in flight or sent before the health check fails',
  (action, balance, bound) => {
    const within = after(action, { traffic: traffic({ counts: counts(bound) }) }, { balance });
    expect(named(within, /failed requests/).met).toBe(true);
    const beyond = after(action, { traffic: traffic({ counts: counts(bound + 1) }) }, { balance });
    expect(named(beyond, /failed requests/).met).toBe(false);
  },
);

test('a zone failure only affects its share of requests without a session, regardless of failover times', () => {
  const bound = 4 + (100 * WINDOW * 2) / 5;
  const { byKind } = traffic();
  const lost = (pages: number) => {
    const page = { counts: counts(pages), latency: traffic().latency };
    const cart = { counts: counts(900), latency: traffic().latency };
    const seen = traffic({ counts: counts(pages + 900), byKind: { ...byKind, page, cart } });
    return after({ kind: 'kill-zone', zone: 'b' }, { traffic: seen });
  };
  expect(missed(lost(bound))).toEqual([]);
  expect(missed(lost(bound + 1))).toMatchObject([{ name: 'failed requests that need no session' }]);
});

test('when all servers are killed, the number of failures is unlimited, but they must end', () => {
  const down = Array.from({ length: 60 }, (_, index) => second(index + 1, { counts: counts(index < 45 ? 9 : 0) }));
  const found = after({ kind: 'kill-servers', count: 5 }, { seconds: down, traffic: traffic({ counts: counts(400) }) });
  expect(missed(found)).toMatchObject([{ name: 'kill-servers: recovery time', measured: '35 s' }]);
});

test('a crash of the single instance is an outage that must end before the traffic', () => {
  const single = { phase: 1, servers: 1 } as const;
  const dead = (until: number) =>
    Array.from({ length: 60 }, (_, index) => second(index + 1, { counts: counts(index > 9 && index < until ? 9 : 0) }));
  const box = (until: number) =>
    after(
      { kind: 'kill-servers', count: 1 },
      { seconds: dead(until), traffic: traffic({ counts: counts(400) }) },
      single,
    );
  expect(named(box(37), /outage/)).toMatchObject({ measured: '27 s', met: true });
  expect(missed(box(60))).toMatchObject([{ measured: '50 s, not over when the traffic ended' }]);
});

test('without Redis, pages stay up, other requests are refused quickly, and recovery takes at most 30 s', () => {
  const action = { kind: 'kill-redis', seconds: 5 } as const;
  const { byKind } = traffic();
  const broken = { counts: counts(3), latency: traffic().latency };
  const carts = traffic({ counts: counts(3), byKind: { ...byKind, cart: broken } });
  expect(missed(after(action, { traffic: carts }))).toEqual([]);
  const pages = traffic({ counts: counts(3), byKind: { ...byKind, page: broken } });
  expect(missed(after(action, { traffic: pages }))).toMatchObject([{ name: 'failed requests that need no session' }]);
  const slow = traffic({ counts: counts(3), failureLatency: { p50: 10, p95: 20, p99: 300, max: 400 } });
  expect(missed(after(action, { traffic: slow }))).toMatchObject([{ measured: '300 ms', goal: 'at most 250 ms' }]);
  const late = [second(12, { counts: counts(1) }), second(41, { counts: counts(1) }), second(60)];
  expect(missed(after(action, { seconds: late }))).toMatchObject([{ measured: '31 s', goal: 'at most 30 s' }]);
});

test('when servers are killed in addition to Redis, pages sent to them may fail', () => {
  const { byKind } = traffic();
  const bound = 4 + (100 * WINDOW) / 5;
  const drills = (pages: number) =>
    findings({
      fired: [
        { at: 5, action: { kind: 'kill-servers', count: 1 }, before: snapshot() },
        { at: 15, action: { kind: 'kill-redis', seconds: 5 }, before: snapshot() },
      ],
      traffic: traffic({ byKind: { ...byKind, page: { counts: counts(pages), latency: traffic().latency } } }),
    });
  expect(missed(drills(bound))).toEqual([]);
  expect(missed(drills(bound + 1))).toMatchObject([{ name: 'failed requests that need no session' }]);
});

test('a longer outage extends the recovery time', () => {
  const late = [second(50, { counts: counts(1) }), second(60)];
  const found = after({ kind: 'kill-database', seconds: 20 }, { seconds: late });
  expect(named(found, /recovery/)).toMatchObject({ measured: '40 s', goal: 'at most 45 s', met: true });
});

test('sessions in memory must lose data, but no order', () => {
  const memory = { scenario: { ...findings().scenario, sessions: 'memory' as const } };
  const { audit } = findings();
  expect(missed(findings(memory))).toMatchObject([{ name: 'lost with the memory of a server' }]);
  const lost = { ...audit, logIns: { acknowledged: 25, lost: 5 } };
  expect(missed(findings({ ...memory, audit: lost, traffic: traffic({ counts: counts(50) }) }))).toEqual([]);
  const orders = { ...lost, orders: { acknowledged: 20, lost: 1 } };
  expect(missed(findings({ ...memory, audit: orders }))).toMatchObject([{ name: 'orders lost' }]);
});

test('during an evolution, requests may fail for at most 10 s in total', () => {
  const { scenario } = findings();
  const evolved = (bad: number) =>
    findings({
      scenario: { ...scenario, phase: 1, until: 4 },
      fired: [20, 40, 60].map((at) => ({ at, action: { kind: 'next-phase' }, before: snapshot(1) })),
      served: ([2, 3, 4] as const).map((phase) => ({ phase, answered: 500 })),
      edge: { lookups: 900, hits: 500 },
      seconds: Array.from({ length: 90 }, (_, index) => second(index + 1, { counts: counts(index < bad ? 3 : 0) })),
      traffic: traffic({ counts: counts(3 * bad) }),
    });
  expect(missed(evolved(10))).toEqual([]);
  expect(missed(evolved(11))).toMatchObject([{ name: 'total time with failed requests', measured: '11 s' }]);
});
