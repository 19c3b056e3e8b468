import type { Rehearsal } from '../rehearse/rehearsal';
import type { Scenario } from '../rehearse/scenario';
import { LIMITS } from '../rehearse/scenario';
import { judge } from '../rehearse/verdict';
import { verdictLine } from '../report/words';
import type { Snapshot } from '../snapshot';
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
  /** File of the report, to be told at the end. */
  readonly report: string;
}

/** Least part of its rate that the traffic is brought down to. */
const LEAST_TRAFFIC = 1 / 8;

/** A rehearsal for the board. */
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
      { of: 'run', id: 'end', label: 'End and count what was lost', run: async () => rehearsal.end() },
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
        kind: 'over',
        what: `The rehearsal is over. ${verdict}. Its report with charts: ${options.report}`,
      });
    },
    () => feed.publish({ kind: 'over', what: 'The rehearsal has ended early. Its terminal says why.' }),
  );
  return {
    title: options.title,
    shop: topology.url,
    watch: (tell) => feed.watch(tell),
    offers,
    stop: async () => {},
  };
}

/** More and less of a rehearsal's traffic, within its limits. */
function trafficOffers(rehearsal: Rehearsal, { load }: Scenario): () => Offer[] {
  const most = Math.min(LIMITS.rps / peakRate(load), LIMITS.requests / totalRequests(load));
  let factor = 1;
  const to = (id: string, label: string, next: number, why: string | false): Offer => ({
    of: 'traffic',
    id,
    label,
    unavailable: why || undefined,
    run: async () => {
      factor = next;
      await rehearsal.act({ kind: 'traffic', factor });
    },
  });
  return () => [
    to(
      'more-traffic',
      'Twice the traffic',
      factor * 2,
      factor * 2 > most && 'more is beyond the limits of a rehearsal',
    ),
    to('less-traffic', 'Half the traffic', factor / 2, factor <= LEAST_TRAFFIC && 'an eighth is the least'),
  ];
}
