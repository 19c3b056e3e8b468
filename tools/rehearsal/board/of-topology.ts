import type { Snapshot } from '../topology/snapshot';
import type { Topology } from '../topology/topology';
import { Poller } from './poller';
import type { BoardSource, Offer } from './state';
import { type TopologyAction, topologyOffers } from './topology-offers';
import { TopologyView } from './topology-view';
import { Visitors } from './visitors';

export interface TopologyBoardOptions {
  readonly title: string;
  /** Whether the topology can become the next phase. */
  readonly evolves: boolean;
}

/** Returns the board source of a phase that runs on this machine. */
export function topologyBoard(topology: Topology, { title, evolves }: TopologyBoardOptions): BoardSource {
  const view = new TopologyView();
  let last: Snapshot | undefined;

  const act = async (action: TopologyAction): Promise<unknown> => {
    if (action.kind !== 'scale') return topology.inject(action);
    poller.log(`desired capacity: ${action.servers}`);
    return topology.scale(action.servers);
  };
  const offers = (): Offer[] => {
    const { phase, becoming } = topology;
    return [...visitors.offers(), ...(last ? topologyOffers({ phase, becoming, evolves, now: last, act }) : [])];
  };
  const poller: Poller = new Poller(async (at) => {
    last = await topology.snapshot();
    const { phase, becoming } = topology;
    return view.draw({ at, phase, becoming, now: last, second: visitors.second, offers: offers() });
  });
  const visitors: Visitors = new Visitors(() => ({ url: topology.url, databaseUrl: topology.databaseUrl }), poller.log);
  topology.events.on('event', ({ what }) => poller.log(what));
  return {
    title,
    shop: topology.url,
    watch: poller.watch,
    offers,
    stop: async () => {
      poller.stop();
      await visitors.stop();
    },
  };
}
