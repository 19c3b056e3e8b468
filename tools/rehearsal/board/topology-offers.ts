import type { Action } from '../rehearse/scenario';
import { LIMITS, phasesOf } from '../rehearse/scenario';
import type { ServerState, Snapshot } from '../topology/snapshot';
import { ZONES } from '../topology/snapshot';
import type { RehearsedPhase } from '../topology/topology-plan';
import type { Offer } from './state';

/** What a button does to a topology. */
export type TopologyAction = Exclude<Action, { readonly kind: 'traffic' }>;

export interface TopologyOffersOptions {
  readonly phase: RehearsedPhase;
  /** The phase that is being made of it. */
  readonly becoming: RehearsedPhase | undefined;
  /** Whether it can become the next phase. */
  readonly evolves: boolean;
  /** What it looked like last. */
  readonly now: Snapshot;
  act(action: TopologyAction): Promise<unknown>;
}

/** Seconds that a part is away when a button takes it away. */
const ABSENCE = 5;

const STATES: Readonly<Record<ServerState, string>> = {
  starting: 'starting still',
  'in-service': 'in service',
  'out-of-service': 'out of service already',
  draining: 'leaving already',
  terminated: 'terminated',
};

/** What can be done to a topology. What its phase does not have gets no button; what cannot be done just now says why. */
export function topologyOffers({ phase, becoming, evolves, now, act }: TopologyOffersOptions): Offer[] {
  const { servers, desired, down = [], queries } = now;
  const present = servers.filter(({ state }) => state !== 'terminated');
  const inService = present.filter(({ state }) => state === 'in-service');
  const offer = (of: string, id: string, label: string, action: TopologyAction, ...why: (string | false)[]): Offer[] =>
    phasesOf(action).includes(phase)
      ? [{ of, id, label, unavailable: why.find((one) => one !== false), run: () => act(action) }]
      : [];

  const busy = becoming !== undefined && `phase ${becoming} is being made; it brings servers of its own`;
  const nobody = inService.length === 0 && 'no server is in service';
  const away = (store: string) => down.includes(store) && 'it is away already';

  const { servers: most } = LIMITS;
  return [
    ...offer(
      'fleet',
      'add-server',
      'Add a server',
      { kind: 'scale', servers: desired + 1 },
      busy,
      desired >= most && `${most} are the most`,
    ),
    ...offer(
      'fleet',
      'remove-server',
      'Remove a server',
      { kind: 'scale', servers: desired - 1 },
      busy,
      desired <= 1 && 'the last one stays',
    ),
    ...offer('fleet', 'deploy', 'Deploy a new version', { kind: 'deploy' }, busy, nobody),
    ...offer('fleet', 'spot-notice', 'Spot notice', { kind: 'spot-notice', count: 1 }, busy, nobody),
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
        'Kill the zone',
        { kind: 'kill-zone', zone },
        inService.every((server) => server.zone !== zone) && 'no server is in service there',
        lost !== undefined && `its ${lost} is away already`,
      );
    }),
    ...offer(
      'primary',
      'fail-over-database',
      'Fail over',
      { kind: 'kill-database', seconds: ABSENCE },
      away('primary'),
    ),
    ...(queries.replicas.length > 0
      ? offer('replica 1', 'kill-replica', 'Kill', { kind: 'kill-replica', seconds: ABSENCE }, away('replica 1'))
      : []),
    ...offer('redis', 'fail-over-redis', 'Fail over', { kind: 'kill-redis', seconds: ABSENCE }, away('redis')),
    ...(evolves
      ? offer(
          'run',
          'next-phase',
          `On to phase ${phase + 1}`,
          { kind: 'next-phase' },
          becoming !== undefined && `phase ${becoming} is being made already`,
        )
      : []),
  ];
}

/** The zone in which something that keeps data lies; see `Faults`. */
function zoneOf(store: string): string | undefined {
  const replica = /^replica (\d+)$/.exec(store)?.[1];
  return replica === undefined ? ZONES[0] : ZONES[Number(replica)];
}
