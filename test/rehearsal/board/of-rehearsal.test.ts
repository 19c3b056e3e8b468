import { EventEmitter } from 'node:events';
import { rehearsalBoard } from '../../../lib/rehearsal/board/of-rehearsal';
import type { BoardState } from '../../../lib/rehearsal/board/state';
import type { Findings, RehearsalSecond } from '../../../lib/rehearsal/rehearse/findings';
import type { Rehearsal } from '../../../lib/rehearsal/rehearse/rehearsal';
import type { Action } from '../../../lib/rehearsal/rehearse/scenario';
import type { RehearsedPhase, ServerSnapshot, Snapshot } from '../../../lib/rehearsal/topology';
import { findings } from '../../support/findings';

const server = (name: string, zone: string, more: Partial<ServerSnapshot> = {}): ServerSnapshot => ({
  name,
  zone,
  version: 'v',
  state: 'in-service',
  pid: 1,
  requests: 100,
  failures: 0,
  inFlight: 0,
  port: 8001,
  counted: true,
  cpuSeconds: 1,
  ...more,
});

const second = (at: number): RehearsalSecond => ({
  at,
  due: 20,
  reloads: 0,
  inTime: 18,
  counts: { ok: 18, refused: 1, failed: 1, wrong: 0 },
  latency: { p50: 2, p95: 5, p99: 9, max: 20 },
  sources: { edge: 0, cache: 1, database: 1 },
  servers: { '8001': { p50: 3, p95: 8, p99: 12, max: 20 } },
  inFlight: 1,
  acknowledged: 7,
  missed: 0,
  lateMs: 0,
  busy: 0.1,
  idle: 0.5,
  rps: 20,
  inService: 1,
  desired: 1,
  queries: { primary: 5, writes: 2, replicas: 0 },
  connections: { primary: 9, limit: 200 },
});

const snapshot = (more: Partial<Snapshot> = {}): Snapshot => ({
  at: 1000,
  desired: 3,
  servers: [server('server-1', 'a'), server('server-2', 'b'), server('server-3', 'c')],
  queries: { primary: 10, writes: 4, replicas: [1, 1] },
  connections: { primary: 9, limit: 200 },
  redis: { hits: 1, misses: 1 },
  ...more,
});

function open(phase: RehearsedPhase, evolves = false, rps = 20, becoming?: RehearsedPhase) {
  const events: Rehearsal['events'] = new EventEmitter();
  const acted: Action[] = [];
  let over: (findings: Findings) => void = () => {};
  const rehearsal = {
    topology: { phase, becoming, url: 'http://127.0.0.1:1' },
    events,
    finished: new Promise<Findings>((resolve) => {
      over = resolve;
    }),
    act: async (action: Action) => void acted.push(action),
  } as Rehearsal;
  const scenario = { phase, load: { profile: 'steady', rps, seconds: 60, factor: 1 }, steps: [] } as const;
  const board = rehearsalBoard(rehearsal, { title: 'title', scenario, evolves, report: 'report.html' });
  const see = (at: number, now: Snapshot): BoardState => {
    events.emit('second', second(at), now);
    let last: BoardState | undefined;
    board.watch((told) => {
      if (told.kind === 'state') last = told.state;
    })();
    return last as BoardState;
  };
  const press = (id: string) =>
    board
      .offers()
      .find((one) => one.id === id)
      ?.run();
  return { board, see, press, acted, over: () => over(findings()) };
}

const box = () =>
  snapshot({ desired: 1, servers: [server('server-1', 'a')], queries: { primary: 1, writes: 1, replicas: [] } });
const ids = (state: BoardState) => state.buttons.map(({ id }) => id);
const refused = (state: BoardState) =>
  Object.fromEntries(state.buttons.flatMap(({ id, unavailable }) => (unavailable ? [[id, unavailable]] : [])));

test.each([
  [1, box(), ['more-traffic', 'less-traffic', 'deploy', 'kill-server-1', 'end']],
  [2, box(), ['more-traffic', 'less-traffic', 'deploy', 'kill-server-1', 'fail-over-database', 'end']],
] as const)('phase %i has a button for what it has, and no other', (phase, now, buttons) => {
  expect(ids(open(phase).see(1, now))).toEqual(buttons);
});

test('phase 3 has servers to add, zones to kill and a Redis to fail over; spot notices come in phase 4', () => {
  const ofPhase3 = ids(open(3, true).see(1, snapshot()));
  const more = ['add-server', 'kill-server-2', 'kill-zone-c', 'fail-over-redis', 'kill-replica', 'next-phase'];
  expect(ofPhase3).toEqual(expect.arrayContaining(more));
  expect(ofPhase3).not.toContain('spot-notice');
  const ofPhase4 = ids(open(4, true).see(1, snapshot()));
  expect(ofPhase4).toContain('spot-notice');
  expect(ofPhase4).not.toContain('next-phase');
});

test('what is away is shown so, and cannot be taken away once more, nor the zone that it lies in', () => {
  const state = open(3).see(1, snapshot({ down: ['primary', 'replica 1'] }));
  expect(state.stores.filter(({ up }) => !up).map(({ name }) => name)).toEqual(['primary', 'replica 1']);
  expect(refused(state)).toEqual({
    'kill-zone-a': 'its primary is away already',
    'kill-zone-b': 'its replica 1 is away already',
    'fail-over-database': 'it is away already',
    'kill-replica': 'it is away already',
  });
});

test('a button that cannot be pressed now says why: servers that are not in service, the fewest and the most', () => {
  const states = ['starting', 'draining', 'out-of-service'] as const;
  const servers = states.map((state, index) => server(`server-${index + 1}`, 'a', { state }));
  const reasons = refused(open(3).see(1, snapshot({ desired: 1, servers })));
  expect(reasons).toEqual({
    'remove-server': 'the last one stays',
    deploy: 'no server is in service',
    'kill-server-1': 'server-1 is starting still',
    'kill-server-2': 'server-2 is leaving already',
    'kill-server-3': 'server-3 is out of service already',
    'kill-zone-a': 'no server is in service there',
    'kill-zone-b': 'no server is in service there',
    'kill-zone-c': 'no server is in service there',
  });
  expect(refused(open(3).see(1, snapshot({ desired: 20 })))).toEqual({ 'add-server': '20 are the most' });
});

test('while the next phase is being made, the group stays as it is', () => {
  const state = open(3, true, 20, 4).see(1, snapshot());
  expect(state.becoming).toBe(4);
  const reasons = refused(state);
  const why = 'phase 4 is being made; it brings servers of its own';
  expect(reasons).toEqual({
    'add-server': why,
    'remove-server': why,
    deploy: why,
    'next-phase': 'phase 4 is being made already',
  });
});

test('the button of a server kills that one', async () => {
  const { see, press, acted } = open(3);
  see(1, snapshot());
  await press('kill-server-2');
  expect(acted).toEqual([{ kind: 'kill-servers', count: 1, server: 'server-2' }]);
});

test('traffic is doubled up to the limits of a rehearsal, and halved down to an eighth', async () => {
  const { see, press, acted, board } = open(3, false, 2_000);
  see(1, snapshot());
  const why = (of: string) => board.offers().find(({ id }) => id === of)?.unavailable;
  await press('more-traffic');
  expect(why('more-traffic')).toBe('more is beyond the limits of a rehearsal');
  while (why('less-traffic') === undefined) await press('less-traffic');
  expect(why('less-traffic')).toBe('an eighth is the least');
  expect(acted.at(0)).toEqual({ kind: 'traffic', factor: 2 });
  expect(acted.at(-1)).toEqual({ kind: 'traffic', factor: 1 / 8 });
});

test('rates are differences by the time between two looks', () => {
  const { see } = open(3);
  see(1, snapshot());
  const busy = server('server-1', 'a', { requests: 180, failures: 4, cpuSeconds: 2 });
  const [drawn] = see(3, snapshot({ at: 3000, servers: [busy] })).servers;
  expect(drawn).toMatchObject({ rps: 40, failed: 2, cpu: 0.5 });
});

test('a server has the percentiles of its own answers; one that has given none lately has none', () => {
  const servers = [server('server-1', 'a', { port: 8001 }), server('server-2', 'b', { port: 8002 })];
  const [first, second] = open(3).see(1, snapshot({ servers })).servers;
  expect(first?.latency).toEqual({ p50: 3, p99: 12 });
  expect(second).not.toHaveProperty('latency');
});

test('a box has what all visitors saw', () => {
  expect(open(1).see(1, box()).servers).toMatchObject([{ rps: 20, failed: 2, latency: { p50: 2, p99: 9 } }]);
});

test('the edge shows its share of the look-ups since the look before', () => {
  const { see } = open(4);
  expect(see(1, snapshot({ edge: { lookups: 100, hits: 50 } })).edge).toBe('50% answered here');
  expect(see(2, snapshot({ edge: { lookups: 140, hits: 80 } })).edge).toBe('75% answered here');
  expect(see(3, snapshot({ edge: { lookups: 140, hits: 80 } })).edge).toBe('idle');
});

test('a server that has left is drawn for a while, and then no more', () => {
  const { see } = open(3);
  const gone = snapshot({ servers: [server('server-1', 'a', { state: 'gone' })] });
  expect(see(1, gone).servers).toMatchObject([{ name: 'server-1', state: 'gone' }]);
  expect(see(6, gone).servers).toEqual([]);
});

test('the end has the verdict, and the file of the report', async () => {
  const { board, over } = open(3);
  over();
  await new Promise(setImmediate);
  const told: unknown[] = [];
  board.watch((one) => told.push(one));
  const what = 'The rehearsal is over. Passed: all 12 targets met. Its report with charts: report.html';
  expect(told).toEqual([{ kind: 'over', what }]);
});
