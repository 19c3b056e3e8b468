import type { Rehearsal } from '../rehearse/rehearsal';
import type { Scenario } from '../rehearse/scenario';
import { LIMITS } from '../rehearse/scenario';
import { judge } from '../rehearse/verdict';
import { verdictLine } from '../report/format';
import type { Snapshot } from '../topology/snapshot';
import { peakRate, totalRequests } from '../traffic/profiles';
import { Feed } from './feed';
import type { BoardSource, Offer } from './state';
import { topologyOffers } from './topology-offers';
import { TopologyView } from './topology-view';

export interface RehearsalBoardOptions {
  readonly title: string;
  readonly scenario: Scenario;
  /** Whether the topology can become the next phase. */
  readonly evolves: boolean;
  /** Path of the report, shown at the end. */
  readonly report: string;
}

/** Lowest traffic, as a factor of the configured rate. */
const MIN_FACTOR = 1 / 8;

/** Returns the board source of a rehearsal. */
export function rehearsalBoard(rehearsal: Rehearsal, options: RehearsalBoardOptions): BoardSource {
  const { topology } = rehearsal;
  const feed = new Feed();
  const view = new TopologyView();
  const traffic = trafficOffers(rehearsal, options.scenario);
  let last: Snapshot | undefined;

  const offers = (): Offer[] => {
    if (last === undefined) return [];
    const { phase, becoming } = topology;
    const act = rehearsal.act.bind(rehearsal);
    return [
      ...traffic(),
      ...topologyOffers({ phase, becoming, evolves: options.evolves, now: last, act }),
      { of: 'run', id: 'end', label: 'End run and verify data', run: async () => rehearsal.end() },
    ];
  };
  rehearsal.events.on('second', (second, now) => {
    last = now;
    const { phase, becoming } = topology;
    feed.publish({
      kind: 'state',
      state: view.draw({ at: second.at, phase, becoming, now, second, offers: offers() }),
    });
  });
  rehearsal.events.on('event', (event) => feed.publish({ kind: 'event', event }));
  void rehearsal.finished.then(
    (findings) => {
      const verdict = verdictLine(judge(findings));
      feed.publish({
        kind: 'ended',
        what: `The rehearsal has ended. ${verdict}. Report with charts: ${options.report}`,
      });
    },
    () => feed.publish({ kind: 'ended', what: 'The rehearsal failed. See the terminal for the error.' }),
  );
  return {
    title: options.title,
    shop: topology.url,
    watch: (onMessage) => feed.watch(onMessage),
    offers,
    stop: async () => {},
  };
}

/** Buttons that change the traffic within the limits of a rehearsal. */
function trafficOffers(rehearsal: Rehearsal, { load }: Scenario): () => Offer[] {
  const maxFactor = Math.min(LIMITS.rps / peakRate(load), LIMITS.requests / totalRequests(load));
  let factor = 1;
  const scaleTo = (id: string, label: string, next: number, unavailable: string | false): Offer => ({
    of: 'traffic',
    id,
    label,
    unavailable: unavailable || undefined,
    run: async () => {
      factor = next;
      await rehearsal.act({ kind: 'traffic', factor });
    },
  });
  return () => [
    scaleTo('more-traffic', 'Double traffic', factor * 2, factor * 2 > maxFactor && 'limit of a rehearsal reached'),
    scaleTo('less-traffic', 'Halve traffic', factor / 2, factor <= MIN_FACTOR && 'minimum of 1/8 reached'),
  ];
}
