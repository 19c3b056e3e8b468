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

/** A phase that runs on this machine, for the board. */
export function topologyBoard(topology: Topology, { title, evolves }: TopologyBoardOptions): BoardSource {
  const view = new TopologyView();
  let last: Snapshot | undefined;

  const act = async (action: TopologyAction): Promise<unknown> => {
    if (action.kind !== 'scale') return topology.inject(action);
    looking.tell(`the group wants ${action.servers} servers`);
    return topology.scale(action.servers);
  };
  const offers = (): Offer[] => {
    const { phase, becoming } = topology;
    return [...visitors.offers(), ...(last ? topologyOffers({ phase, becoming, evolves, now: last, act }) : [])];
  };
  const looking: Poller = new Poller(async (at) => {
    last = await topology.snapshot();
    const { phase, becoming } = topology;
    return view.draw({ at, phase, becoming, now: last, second: visitors.second, offers: offers() });
  });
  const visitors: Visitors = new Visitors(
    () => ({ url: topology.url, databaseUrl: topology.databaseUrl }),
    looking.tell,
  );
  topology.events.on('event', ({ what }) => looking.tell(what));
  return {
    title,
    shop: topology.url,
    watch: looking.watch,
    offers,
    stop: async () => {
      looking.stop();
      await visitors.stop();
    },
  };
}
