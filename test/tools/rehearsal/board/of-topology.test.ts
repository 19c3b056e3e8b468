import { EventEmitter } from 'node:events';
import { topologyBoard } from '../../../../tools/rehearsal/board/of-topology';
import type { BoardSource, BoardState, BoardMessage } from '../../../../tools/rehearsal/board/state';
import type { Topology } from '../../../../tools/rehearsal/topology/topology';
import { servers } from '../../../support/findings';
import { eventually } from '../../../support/shop';

/** A topology whose servers have 100 more requests at every look, a second later. */
function topology() {
  const events: Topology['events'] = new EventEmitter();
  const done: unknown[] = [];
  let looks = 0;
  const fake = {
    phase: 3,
    url: 'http://127.0.0.1:1',
    events,
    snapshot: async () => {
      looks += 1;
      const now = servers().map((one) => ({ ...one, requests: looks * 100 }));
      return { at: looks * 1000, desired: 5, servers: now, queries: { primary: looks * 7, replicas: [0, 0] } };
    },
    scale: async (count: number) => void done.push(count),
    inject: async (fault: unknown) => void done.push(fault),
  };
  return { fake: fake as unknown as Topology, events, done, looks: () => looks };
}

const press = (board: BoardSource, id: string) =>
  board
    .offers()
    .find((one) => one.id === id)
    ?.run();

test('it looks only while somebody does, and draws rates from look to look, without visitors', async () => {
  const { fake, looks } = topology();
  const board = topologyBoard(fake, { title: 'title', evolves: false });
  await new Promise(setImmediate);
  expect(looks()).toBe(0);
  const states: BoardState[] = [];
  const unwatch = board.watch((told) => told.kind === 'state' && states.push(told.state));
  await eventually(() => states.length === 2);
  unwatch();
  expect(states[0]?.servers[0]).toMatchObject({ name: 'server-1', rps: 0 });
  expect(states[1]).toMatchObject({ phase: 3, balancer: true, desired: 5 });
  expect(states[1]).not.toHaveProperty('visitors');
  expect(states[1]?.servers[0]).toMatchObject({ rps: 100, failed: 0 });
  expect(states[1]?.stores[0]).toEqual({ name: 'primary', up: true, figures: ['7 statements/s'] });
  const seen = looks();
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  expect(looks()).toBe(seen);
  await board.stop();
});

test('its buttons reach the topology, and what happens is told', async () => {
  const { fake, events, done } = topology();
  const board = topologyBoard(fake, { title: 'title', evolves: true });
  const told: BoardMessage[] = [];
  const unwatch = board.watch((one) => told.push(one));
  await eventually(() => told.length > 0);
  await press(board, 'add-server');
  await press(board, 'kill-server-2');
  await press(board, 'next-phase');
  expect(done).toEqual([6, { kind: 'kill-servers', count: 1, server: 'server-2' }, { kind: 'next-phase' }]);
  events.emit('event', { at: 1, what: 'server-2 in zone b is dead' });
  unwatch();
  await board.stop();
  const said = told.flatMap((one) => (one.kind === 'event' ? [one.event.what] : []));
  expect(said).toEqual(['the group wants 6 servers', 'server-2 in zone b is dead']);
});
