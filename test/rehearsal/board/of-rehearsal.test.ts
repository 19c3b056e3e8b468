import { EventEmitter } from 'node:events';
import { rehearsalBoard } from '../../../lib/rehearsal/board/of-rehearsal';
import type { BoardState } from '../../../lib/rehearsal/board/state';
import type { Findings, RehearsalSecond } from '../../../lib/rehearsal/rehearse/findings';
import type { Rehearsal } from '../../../lib/rehearsal/rehearse/rehearsal';
import type { Action } from '../../../lib/rehearsal/rehearse/scenario';
import type { RehearsedPhase, ServerSnapshot, Snapshot } from '../../../lib/rehearsal/topology';

const server = (name: string, zone: string, more: Partial<ServerSnapshot> = {}): ServerSnapshot => ({
  name,
  zone,
  version: 'v',
  state: 'in-service',
  pid: 1,
  requests: 100,
  failures: 0,
  inFlight: 0,
  latencyMs: 3,
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
  inFlight: 1,
  acknowledged: 7,
  missed: 0,
  lateMs: 0,
  busy: 0.1,
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

function open(phase: RehearsedPhase, evolves = false, rps = 20) {
  const events: Rehearsal['events'] = new EventEmitter();
  const acted: Action[] = [];
  let over: (findings: Findings) => void = () => {};
  const rehearsal = {
    topology: { phase, url: 'http://127.0.0.1:1' },
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
  return { board, see, press, acted, over: () => over({} as Findings) };
}

const box = () =>
  snapshot({ desired: 1, servers: [server('server-1', 'a')], queries: { primary: 1, writes: 1, replicas: [] } });
const ids = (state: BoardState) => state.buttons.map(({ id }) => id);

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
  expect(ids(state)).not.toEqual(expect.arrayContaining(['fail-over-database']));
  expect(ids(state).filter((id) => id.startsWith('kill-zone'))).toEqual(['kill-zone-c']);
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
  await press('more-traffic');
  expect(board.offers().some(({ id }) => id === 'more-traffic')).toBe(false);
  for (let times = 0; times < 10; times++) await press('less-traffic');
  expect(acted.at(0)).toEqual({ kind: 'traffic', factor: 2 });
  expect(acted.at(-1)).toEqual({ kind: 'traffic', factor: 1 / 8 });
});

test('rates are differences by the time between two looks', () => {
  const { see } = open(3);
  see(1, snapshot());
  const busy = server('server-1', 'a', { requests: 180, failures: 4, cpuSeconds: 2 });
  const [drawn] = see(3, snapshot({ at: 3000, servers: [busy] })).servers;
  expect(drawn).toMatchObject({ rps: 40, failed: 2, cpu: 0.5, latencyMs: 3 });
});

test('a server that has left is drawn for a while, and then no more', () => {
  const { see } = open(3);
  const gone = snapshot({ servers: [server('server-1', 'a', { state: 'gone' })] });
  expect(see(1, gone).servers).toMatchObject([{ name: 'server-1', state: 'gone' }]);
  expect(see(6, gone).servers).toEqual([]);
});

test('the end is told, with the file of the report', async () => {
  const { board, over } = open(3);
  over();
  await new Promise(setImmediate);
  const told: unknown[] = [];
  board.watch((one) => told.push(one));
  expect(told).toEqual([{ kind: 'over', what: 'The rehearsal is over. Its report with charts: report.html' }]);
});
