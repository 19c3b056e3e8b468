import type { Action } from '../rehearse/scenario';
import { LIMITS, supportedPhases } from '../rehearse/scenario';
import type { ServerState, Snapshot } from '../topology/snapshot';
import { ZONES } from '../topology/snapshot';
import type { RehearsedPhase } from '../topology/topology-plan';
import type { Offer } from './state';

/** An action that changes a topology. */
export type TopologyAction = Exclude<Action, { readonly kind: 'traffic' }>;

export interface TopologyOffersOptions {
  readonly phase: RehearsedPhase;
  /** The phase that is being deployed. */
  readonly becoming: RehearsedPhase | undefined;
  /** Whether the topology can evolve to the next phase. */
  readonly evolves: boolean;
  /** The latest snapshot. */
  readonly now: Snapshot;
  act(action: TopologyAction): Promise<unknown>;
}

/** Seconds until a stopped database or cache starts again. */
const OUTAGE = 5;

const STATES: Readonly<Record<ServerState, string>> = {
  starting: 'still starting',
  'in-service': 'in service',
  'out-of-service': 'already out of service',
  draining: 'already draining',
  terminated: 'terminated',
};

/** Returns the actions of a topology. Omits parts that its phase lacks. Unavailable actions carry the reason. */
export function topologyOffers({ phase, becoming, evolves, now, act }: TopologyOffersOptions): Offer[] {
  const { servers, desired, down = [], queries } = now;
  const present = servers.filter(({ state }) => state !== 'terminated');
  const inService = present.filter(({ state }) => state === 'in-service');
  const offer = (
    of: string,
    id: string,
    label: string,
    action: TopologyAction,
    ...reasons: (string | false)[]
  ): Offer[] =>
    supportedPhases(action).includes(phase)
      ? [{ of, id, label, unavailable: reasons.find((one) => one !== false), run: () => act(action) }]
      : [];

  const busy = becoming !== undefined && `deployment of phase ${becoming} in progress; it launches new servers`;
  const noServer = inService.length === 0 && 'no server is in service';
  const isDown = (store: string) => down.includes(store) && 'already down';

  const { servers: max } = LIMITS;
  return [
    ...offer(
      'fleet',
      'add-server',
      'Add server',
      { kind: 'scale', servers: desired + 1 },
      busy,
      desired >= max && `maximum of ${max} servers reached`,
    ),
    ...offer(
      'fleet',
      'remove-server',
      'Remove server',
      { kind: 'scale', servers: desired - 1 },
      busy,
      desired <= 1 && 'the last server cannot be removed',
    ),
    ...offer('fleet', 'deploy', 'Deploy new version', { kind: 'deploy' }, busy, noServer),
    ...offer('fleet', 'spot-notice', 'Spot notice', { kind: 'spot-notice', count: 1 }, busy, noServer),
    ...present.flatMap(({ name, state }) =>
      offer(
        name,
        `kill-${name}`,
        'Kill',
        { kind: 'kill-servers', count: 1, server: name },
        state !== 'in-service' && `${name} is ${STATES[state]}`,
      ),
    ),
    ...ZONES.flatMap((zone) => {
      const lost = down.find((store) => zoneOf(store) === zone);
      return offer(
        `zone ${zone}`,
        `kill-zone-${zone}`,
        'Kill zone',
        { kind: 'kill-zone', zone },
        inService.every((server) => server.zone !== zone) && 'no server is in service in this zone',
        lost !== undefined && `${lost} in this zone is already down`,
      );
    }),
    ...offer(
      'primary',
      'fail-over-database',
      'Fail over',
      { kind: 'kill-database', seconds: OUTAGE },
      isDown('primary'),
    ),
    ...(queries.replicas.length > 0
      ? offer('replica 1', 'kill-replica', 'Kill', { kind: 'kill-replica', seconds: OUTAGE }, isDown('replica 1'))
      : []),
    ...offer('redis', 'fail-over-redis', 'Fail over', { kind: 'kill-redis', seconds: OUTAGE }, isDown('redis')),
    ...(evolves
      ? offer(
          'run',
          'next-phase',
          `Deploy phase ${phase + 1}`,
          { kind: 'next-phase' },
          becoming !== undefined && `deployment of phase ${becoming} already in progress`,
        )
      : []),
  ];
}

/** Returns the zone of a data store, as in `Faults`. */
function zoneOf(store: string): string | undefined {
  const replica = /^replica (\d+)$/.exec(store)?.[1];
  return replica === undefined ? ZONES[0] : ZONES[Number(replica)];
}
