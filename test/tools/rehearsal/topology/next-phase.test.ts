import { Parts } from '../../../../tools/rehearsal/programs/parts';
import type { DataTiers } from '../../../../tools/rehearsal/topology/data-tiers';
import { PhaseSwitch, type ServingPhase } from '../../../../tools/rehearsal/topology/next-phase';
import type { TopologyPlan } from '../../../../tools/rehearsal/topology/topology-plan';

const plan: TopologyPlan = { phase: 2, dir: 'none' };

/** A phase without real servers. */
function serving(phase: ServingPhase['phase'], drained: () => void = () => {}): ServingPhase {
  const data = { database: { replicas: [], addReplicas: async () => {} }, redis: {} } as unknown as DataTiers;
  return { phase, data, front: { port: phase, drain: async () => drained() } as ServingPhase['front'] };
}

function switching(serve: () => Promise<ServingPhase>) {
  const routed: number[] = [];
  const address = { port: 1, pointTo: (port: number) => routed.push(port), delay: () => {}, close: () => {} };
  const bundle = { dir: 'none', hash: 'none' };
  const phaseSwitch = new PhaseSwitch({
    dir: 'none',
    bundle,
    parts: new Parts(),
    address,
    serve,
    onEvent: () => {},
  });
  return { phaseSwitch, routed };
}

test('during a transition the group cannot change and no second transition starts; afterwards both are possible', async () => {
  let ready: (next: ServingPhase) => void = () => {};
  const { phaseSwitch, routed } = switching(() => new Promise((resolve) => (ready = resolve)));
  phaseSwitch.checkIdle('scale');
  const next = phaseSwitch.next(plan, serving(2));
  expect(phaseSwitch.becoming).toBe(3);
  expect(() => phaseSwitch.checkIdle('scale')).toThrow(
    'scale: not available during the transition to phase 3, which replaces the servers.',
  );
  await expect(phaseSwitch.next(plan, serving(2))).rejects.toThrow(
    'next-phase: the transition to phase 3 is still running.',
  );
  await new Promise(setImmediate);
  expect(routed).toEqual([]);
  ready(serving(3));
  expect((await next).phase).toBe(3);
  expect(routed).toEqual([3]);
  expect(phaseSwitch.becoming).toBeUndefined();
  phaseSwitch.checkIdle('scale');
});

test('a failed transition can be retried, and the previous phase continues to serve', async () => {
  let drained = false;
  const { phaseSwitch, routed } = switching(() => Promise.reject(new Error('no room')));
  await expect(
    phaseSwitch.next(
      plan,
      serving(2, () => (drained = true)),
    ),
  ).rejects.toThrow('no room');
  expect([phaseSwitch.becoming, routed, drained]).toEqual([undefined, [], false]);
});

test('phase 4 has no next phase', async () => {
  await expect(switching(async () => serving(4)).phaseSwitch.next(plan, serving(4))).rejects.toThrow(
    'next-phase: phase 4 is the last phase that runs on one machine.',
  );
});
