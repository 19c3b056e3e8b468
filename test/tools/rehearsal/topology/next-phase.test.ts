import { Parts } from '../../../../tools/rehearsal/programs/parts';
import type { DataTiers } from '../../../../tools/rehearsal/topology/data-tiers';
import { Evolution, type Stage } from '../../../../tools/rehearsal/topology/next-phase';
import type { TopologyPlan } from '../../../../tools/rehearsal/topology/topology-plan';

const plan: TopologyPlan = { phase: 2, dir: 'none' };

/** A phase that is there already, but for what serves it. */
function stage(phase: Stage['phase'], left: () => void = () => {}): Stage {
  const data = { database: { replicas: [], addReplicas: async () => {} }, redis: {} } as unknown as DataTiers;
  return { phase, data, front: { port: phase, leave: async () => left() } as Stage['front'] };
}

function evolving(serve: () => Promise<Stage>) {
  const led: number[] = [];
  const address = { port: 1, leadTo: (port: number) => led.push(port), delay: () => {}, close: () => {} };
  const bundle = { dir: 'none', hash: 'none' };
  const evolution = new Evolution({ dir: 'none', bundle, parts: new Parts(), address, serve, tell: () => {} });
  return { evolution, led };
}

test('while the next phase is being made the group stays as it is, and there is no second step; afterwards both may be', async () => {
  let ready: (next: Stage) => void = () => {};
  const { evolution, led } = evolving(() => new Promise((resolve) => (ready = resolve)));
  evolution.checkStays('scale');
  const next = evolution.next(plan, stage(2));
  expect(evolution.becoming).toBe(3);
  expect(() => evolution.checkStays('scale')).toThrow('scale: phase 3 is being made; it brings servers of its own');
  await expect(evolution.next(plan, stage(2))).rejects.toThrow('next-phase: phase 3 is still being made');
  await new Promise(setImmediate);
  expect(led).toEqual([]);
  ready(stage(3));
  expect((await next).phase).toBe(3);
  expect(led).toEqual([3]);
  expect(evolution.becoming).toBeUndefined();
  evolution.checkStays('scale');
});

test('a step that fails can be tried again, and the phase before goes on to serve', async () => {
  let left = false;
  const { evolution, led } = evolving(() => Promise.reject(new Error('no room')));
  await expect(
    evolution.next(
      plan,
      stage(2, () => (left = true)),
    ),
  ).rejects.toThrow('no room');
  expect([evolution.becoming, led, left]).toEqual([undefined, [], false]);
});

test('phase 4 is the last', async () => {
  await expect(evolving(async () => stage(4)).evolution.next(plan, stage(4))).rejects.toThrow('phase 4 is the last');
});
