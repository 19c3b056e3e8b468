import { EventEmitter } from 'node:events';
import { rehearsalBoard } from '../../../../tools/rehearsal/board/of-rehearsal';
import type { BoardState } from '../../../../tools/rehearsal/board/state';
import type { Findings, RehearsalSecond } from '../../../../tools/rehearsal/rehearse/findings';
import type { Rehearsal } from '../../../../tools/rehearsal/rehearse/rehearsal';
import type { Action } from '../../../../tools/rehearsal/rehearse/scenario';
import type { ServerSnapshot, Snapshot } from '../../../../tools/rehearsal/topology/snapshot';
import type { RehearsedPhase } from '../../../../tools/rehearsal/topology/topology-plan';
import { findings } from '../../../support/findings';

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
  let end: (findings: Findings) => void = () => {};
  const rehearsal = {
    topology: { phase, becoming, url: 'http://127.0.0.1:1' },
    events,
    finished: new Promise<Findings>((resolve) => {
      end = resolve;
    }),
    act: async (action: Action) => void acted.push(action),
  } as Rehearsal;
  const scenario = { phase, load: { profile: 'steady', rps, seconds: 60, factor: 1 }, steps: [] } as const;
  const board = rehearsalBoard(rehearsal, { title: 'title', scenario, evolves, report: 'report.html' });
  const see = (at: number, now: Snapshot): BoardState => {
    events.emit('second', second(at), now);
    let last: BoardState | undefined;
    board.watch((message) => {
      if (message.kind === 'state') last = message.state;
    })();
    return last as BoardState;
  };
  const press = (id: string) =>
    board
      .offers()
      .find((one) => one.id === id)
      ?.run();
  return { board, see, press, acted, end: () => end(findings()) };
}

const singleServer = () =>
  snapshot({ desired: 1, servers: [server('server-1', 'a')], queries: { primary: 1, writes: 1, replicas: [] } });
const ids = (state: BoardState) => state.buttons.map(({ id }) => id);
const refused = (state: BoardState) =>
  Object.fromEntries(state.buttons.flatMap(({ id, unavailable }) => (unavailable ? [[id, unavailable]] : [])));

test.each([
  [1, singleServer(), ['more-traffic', 'less-traffic', 'deploy', 'kill-server-1', 'end']],
  [2, singleServer(), ['more-traffic', 'less-traffic', 'deploy', 'kill-server-1', 'fail-over-database', 'end']],
] as const)('phase %i has exactly the buttons for its parts', (phase, now, buttons) => {
  expect(ids(open(phase).see(1, now))).toEqual(buttons);
});

test('phase 3 adds buttons for servers, zones and Redis; phase 4 adds the spot notice', () => {
  const ofPhase3 = ids(open(3, true).see(1, snapshot()));
  const more = ['add-server', 'kill-server-2', 'kill-zone-c', 'fail-over-redis', 'kill-replica', 'next-phase'];
  expect(ofPhase3).toEqual(expect.arrayContaining(more));
  expect(ofPhase3).not.toContain('spot-notice');
  const ofPhase4 = ids(open(4, true).see(1, snapshot()));
  expect(ofPhase4).toContain('spot-notice');
  expect(ofPhase4).not.toContain('next-phase');
});

test('a store that is down is shown as down, and neither it nor its zone can be killed', () => {
  const state = open(3).see(1, snapshot({ down: ['primary', 'replica 1'] }));
  expect(state.stores.filter(({ up }) => !up).map(({ name }) => name)).toEqual(['primary', 'replica 1']);
  expect(refused(state)).toEqual({
    'kill-zone-a': 'primary in this zone is already down',
    'kill-zone-b': 'replica 1 in this zone is already down',
    'fail-over-database': 'already down',
    'kill-replica': 'already down',
  });
});

test('an unavailable button shows the reason', () => {
  const states = ['starting', 'draining', 'out-of-service'] as const;
  const servers = states.map((state, index) => server(`server-${index + 1}`, 'a', { state }));
  const reasons = refused(open(3).see(1, snapshot({ desired: 1, servers })));
  expect(reasons).toEqual({
    'remove-server': 'the last server cannot be removed',
    deploy: 'no server is in service',
    'kill-server-1': 'server-1 is still starting',
    'kill-server-2': 'server-2 is already draining',
    'kill-server-3': 'server-3 is already out of service',
    'kill-zone-a': 'no server is in service in this zone',
    'kill-zone-b': 'no server is in service in this zone',
    'kill-zone-c': 'no server is in service in this zone',
  });
  expect(refused(open(3).see(1, snapshot({ desired: 20 })))).toEqual({ 'add-server': 'maximum of 20 servers reached' });
});

test('the group cannot change while the next phase is being deployed', () => {
  const state = open(3, true, 20, 4).see(1, snapshot());
  expect(state.becoming).toBe(4);
  const reasons = refused(state);
  const why = 'deployment of phase 4 in progress; it launches new servers';
  expect(reasons).toEqual({
    'add-server': why,
    'remove-server': why,
    deploy: why,
    'next-phase': 'deployment of phase 4 already in progress',
  });
});

test('the button of a server kills that server', async () => {
  const { see, press, acted } = open(3);
  see(1, snapshot());
  await press('kill-server-2');
  expect(acted).toEqual([{ kind: 'kill-servers', count: 1, server: 'server-2' }]);
});

test('traffic doubles up to the limit of a rehearsal, and halves down to 1/8', async () => {
  const { see, press, acted, board } = open(3, false, 2_000);
  see(1, snapshot());
  const why = (of: string) => board.offers().find(({ id }) => id === of)?.unavailable;
  await press('more-traffic');
  expect(why('more-traffic')).toBe('limit of a rehearsal reached');
  while (why('less-traffic') === undefined) await press('less-traffic');
  expect(why('less-traffic')).toBe('minimum of 1/8 reached');
  expect(acted.at(0)).toEqual({ kind: 'traffic', factor: 2 });
  expect(acted.at(-1)).toEqual({ kind: 'traffic', factor: 1 / 8 });
});

test('rates are differences divided by the time between two snapshots', () => {
  const { see } = open(3);
  see(1, snapshot());
  const busy = server('server-1', 'a', { requests: 180, failures: 4, cpuSeconds: 2 });
  const [drawn] = see(3, snapshot({ at: 3000, servers: [busy] })).servers;
  expect(drawn).toMatchObject({ rps: 40, failed: 2, cpu: 0.5 });
});

test('a server shows the percentiles of its responses, and none without recent responses', () => {
  const servers = [server('server-1', 'a', { port: 8001 }), server('server-2', 'b', { port: 8002 })];
  const [first, second] = open(3).see(1, snapshot({ servers })).servers;
  expect(first?.latency).toEqual({ p50: 3, p99: 12 });
  expect(second).not.toHaveProperty('latency');
});

test('a single server shows the figures of all visitors', () => {
  expect(open(1).see(1, singleServer()).servers).toMatchObject([{ rps: 20, failed: 2, latency: { p50: 2, p99: 9 } }]);
});

test('the edge shows its hit ratio since the previous snapshot', () => {
  const { see } = open(4);
  expect(see(1, snapshot({ edge: { lookups: 100, hits: 50 } })).edge).toBe('50% hits');
  expect(see(2, snapshot({ edge: { lookups: 140, hits: 80 } })).edge).toBe('75% hits');
  expect(see(3, snapshot({ edge: { lookups: 140, hits: 80 } })).edge).toBe('idle');
});

test('a terminated server stays on the board for a few seconds', () => {
  const { see } = open(3);
  const gone = snapshot({ servers: [server('server-1', 'a', { state: 'terminated' })] });
  expect(see(1, gone).servers).toMatchObject([{ name: 'server-1', state: 'terminated' }]);
  expect(see(6, gone).servers).toEqual([]);
});

test('the end of the run has the verdict and names the report', async () => {
  const { board, end } = open(3);
  end();
  await new Promise(setImmediate);
  const told: unknown[] = [];
  board.watch((one) => told.push(one));
  const what = 'The rehearsal has ended. Passed: all 12 targets met. Report with charts: report.html';
  expect(told).toEqual([{ kind: 'ended', what }]);
});
