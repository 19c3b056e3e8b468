import { notOk, percent } from '../report/words';
import type { ServerSnapshot, Snapshot } from '../topology/snapshot';
import type { RehearsedPhase } from '../topology/topology-plan';
import type { Second } from '../traffic/messages';
import type { BoardServer, BoardState, BoardStore, BoardVisitors, Offer } from './state';

/** Seconds for which a server that has left is still drawn. */
const SHOWN_AFTER_LEAVING = 4;

/** One look at a topology. */
export interface ViewInput {
  /** Seconds; see {@link BoardState.at}. */
  readonly at: number;
  readonly phase: RehearsedPhase;
  readonly becoming: RehearsedPhase | undefined;
  readonly now: Snapshot;
  /** What visitors saw since the look before; absent while none are sent. */
  readonly second: Second | undefined;
  readonly offers: readonly Offer[];
}

/** Draws a topology look by look: rates are differences to the look before. */
export class TopologyView {
  readonly #left = new Map<string, number>();
  #before: Snapshot | undefined;

  draw({ at, phase, becoming, now, second, offers }: ViewInput): BoardState {
    const before = this.#before;
    this.#before = now;
    const since = new Interval(before, now);
    for (const { name, state } of now.servers) if (state === 'gone' && !this.#left.has(name)) this.#left.set(name, at);
    const isShown = ({ name }: ServerSnapshot) => at - (this.#left.get(name) ?? at) < SHOWN_AFTER_LEAVING;
    const visitors = second && visitorsOf(second);
    return {
      at,
      phase,
      ...(becoming && { becoming }),
      desired: now.desired,
      ...(visitors && { visitors }),
      ...(now.edge && { edge: edgeOf(since, now.edge) }),
      balancer: phase >= 3,
      servers: now.servers.filter(isShown).map((server) => ({
        ...instanceFigures(since, server),
        ...(phase >= 3 ? balancerFigures(since, server, second) : visitors && singleServerFigures(visitors)),
      })),
      workers: (now.workers ?? []).filter(({ state }) => state !== 'gone').map((worker) => instanceFigures(since, worker)),
      stores: storesOf(since, now),
      buttons: buttonsOf(offers),
    };
  }
}

export function buttonsOf(offers: readonly Offer[]): BoardState['buttons'] {
  return offers.map(({ run: _, ...button }) => button);
}

export function visitorsOf({ counts, latency, acknowledged, missed }: Second): BoardVisitors {
  const rps = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const { p50, p99 } = latency;
  return { rps, p50, p99, failed: notOk(counts), acknowledged, missed };
}

/** Where nobody counts but the visitors, and there is only one server. */
export function singleServerFigures({ rps, failed, p50, p99 }: BoardVisitors): Pick<BoardServer, 'rps' | 'failed' | 'latency'> {
  return { rps, failed, latency: { p50, p99 } };
}

/** The time between two looks, and how fast counters went in it. */
class Interval {
  readonly seconds: number;

  constructor(
    readonly before: Snapshot | undefined,
    now: Snapshot,
  ) {
    this.seconds = Math.max(0.001, (now.at - (before?.at ?? now.at - 1000)) / 1000);
  }

  /** @param earlier nothing where it was not there */
  rate(earlier: number | undefined, later: number): number {
    return Math.max(0, later - (earlier ?? later)) / this.seconds;
  }
}

function instanceFigures(since: Interval, { name, zone, state, cpuSeconds }: ServerSnapshot): BoardServer {
  const { servers = [], workers = [] } = since.before ?? {};
  const earlier = [...servers, ...workers].find((one) => one.name === name);
  return { name, zone, state, cpu: since.rate(earlier?.cpuSeconds, cpuSeconds) };
}

/** What the balancer counted, and how long visitors waited for the answers that it says are this server's. */
function balancerFigures(
  since: Interval,
  { name, port, requests, failures }: ServerSnapshot,
  second: Second | undefined,
): Pick<BoardServer, 'rps' | 'failed' | 'latency'> {
  const earlier = since.before?.servers.find((one) => one.name === name);
  const latency = second?.servers[port];
  return {
    rps: since.rate(earlier?.requests, requests),
    failed: since.rate(earlier?.failures, failures),
    ...(latency && { latency: { p50: latency.p50, p99: latency.p99 } }),
  };
}

function edgeOf({ before }: Interval, { lookups, hits }: NonNullable<Snapshot['edge']>): string {
  const looked = lookups - (before?.edge?.lookups ?? 0);
  return looked > 0 ? `${percent((hits - (before?.edge?.hits ?? 0)) / looked)} answered here` : 'idle';
}

function storesOf(since: Interval, now: Snapshot): BoardStore[] {
  const { before } = since;
  const { queries, redis, jobs } = now;
  const isUp = (name: string) => !now.down?.includes(name);
  const database = (name: string, earlier: number | undefined, later: number): BoardStore => ({
    name,
    up: isUp(name),
    figures: [`${since.rate(earlier, later).toFixed(0)} statements/s`],
  });
  return [
    ...(redis ? [{ name: 'redis', up: isUp('redis'), figures: lookups(since, before?.redis ?? redis, redis) }] : []),
    database('primary', before?.queries.primary, queries.primary),
    ...queries.replicas.map((count, index) => database(`replica ${index + 1}`, before?.queries.replicas[index], count)),
    ...(jobs === undefined ? [] : [{ name: 'queue', up: true, figures: [`${jobs} ${jobs === 1 ? 'job' : 'jobs'}`] }]),
  ];
}

function lookups(since: Interval, before: NonNullable<Snapshot['redis']>, now: NonNullable<Snapshot['redis']>): string[] {
  const [hits, misses] = [now.hits - before.hits, now.misses - before.misses];
  const all = hits + misses;
  return [`${since.rate(0, all).toFixed(0)} look-ups/s`, ...(all > 0 ? [`${percent(hits / all)} hits`] : [])];
}
