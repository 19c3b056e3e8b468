import type { Snapshot } from '../topology/snapshot';
import type { Fired } from './findings';

/**
 * Whether the topology has settled: each fault has ended, nothing is down, and the desired capacity is in service in one
 * version.
 *
 * @param at seconds from the start of the traffic
 */
export function isSettled(
  now: Pick<Snapshot, 'servers' | 'desired' | 'down'>,
  fired: readonly Pick<Fired, 'at' | 'action'>[],
  at: number,
): boolean {
  const present = now.servers.filter(({ state }) => state !== 'terminated');
  return (
    now.down === undefined &&
    present.length === now.desired &&
    present.every(({ state }) => state === 'in-service') &&
    new Set(present.map(({ version }) => version)).size <= 1 &&
    fired.every(({ at: began, action }) => !('seconds' in action) || at >= began + action.seconds)
  );
}
