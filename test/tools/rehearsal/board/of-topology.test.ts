import { EventEmitter } from 'node:events';
import { topologyBoard } from '../../../../tools/rehearsal/board/of-topology';
import type { BoardMessage, BoardSource, BoardState } from '../../../../tools/rehearsal/board/state';
import type { Topology } from '../../../../tools/rehearsal/topology/topology';
import { servers } from '../../../support/findings';
import { eventually } from '../../../support/shop';

/** A topology whose servers each get 100 more requests per snapshot. Snapshots are one second apart. */
function topology() {
  const events: Topology['events'] = new EventEmitter();
  const done: unknown[] = [];
  let snapshots = 0;
  const fake = {
    phase: 3,
    url: 'http://127.0.0.1:1',
    events,
    snapshot: async () => {
      snapshots += 1;
      const now = servers().map((one) => ({ ...one, requests: snapshots * 100 }));
      return { at: snapshots * 1000, desired: 5, servers: now, queries: { primary: snapshots * 7, replicas: [0, 0] } };
    },
    scale: async (count: number) => void done.push(count),
    inject: async (fault: unknown) => void done.push(fault),
  };
  return { fake: fake as unknown as Topology, events, done, snapshots: () => snapshots };
}

const press = (board: BoardSource, id: string) =>
  board
    .offers()
    .find((one) => one.id === id)
    ?.run();

test('polls only while a page is open, and shows rates without simulated traffic', async () => {
  const { fake, snapshots } = topology();
  const board = topologyBoard(fake, { title: 'title', evolves: false });
  await new Promise(setImmediate);
  expect(snapshots()).toBe(0);
  const states: BoardState[] = [];
  const unwatch = board.watch((message) => message.kind === 'state' && states.push(message.state));
  await eventually(() => states.length === 2);
  unwatch();
  expect(states[0]?.servers[0]).toMatchObject({ name: 'server-1', rps: 0 });
  expect(states[1]).toMatchObject({ phase: 3, balancer: true, desired: 5 });
  expect(states[1]).not.toHaveProperty('visitors');
  expect(states[1]?.servers[0]).toMatchObject({ rps: 100, failed: 0 });
  expect(states[1]?.stores[0]).toEqual({ name: 'primary', up: true, figures: ['7 statements/s'] });
  const taken = snapshots();
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  expect(snapshots()).toBe(taken);
  await board.stop();
});

test('buttons act on the topology, and its events reach the log', async () => {
  const { fake, events, done } = topology();
  const board = topologyBoard(fake, { title: 'title', evolves: true });
  const messages: BoardMessage[] = [];
  const unwatch = board.watch((one) => messages.push(one));
  await eventually(() => messages.length > 0);
  await press(board, 'add-server');
  await press(board, 'kill-server-2');
  await press(board, 'next-phase');
  expect(done).toEqual([6, { kind: 'kill-servers', count: 1, server: 'server-2' }, { kind: 'next-phase' }]);
  events.emit('event', { at: 1, what: 'server-2 in zone b is dead' });
  unwatch();
  await board.stop();
  const log = messages.flatMap((one) => (one.kind === 'event' ? [one.event.what] : []));
  expect(log).toEqual(['desired capacity: 6', 'server-2 in zone b is dead']);
});
