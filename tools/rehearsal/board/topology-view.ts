import { failureCount, percent } from '../report/format';
import type { ServerSnapshot, Snapshot } from '../topology/snapshot';
import type { RehearsedPhase } from '../topology/topology-plan';
import type { Second } from '../traffic/messages';
import type { BoardServer, BoardState, BoardStore, BoardVisitors, Offer } from './state';

/** Seconds for which a terminated server stays on the board. */
const SHOWN_AFTER_TERMINATION = 4;

/** Input for one state of the board. */
export interface ViewInput {
  /** Seconds; see {@link BoardState.at}. */
  readonly at: number;
  readonly phase: RehearsedPhase;
  readonly becoming: RehearsedPhase | undefined;
  readonly now: Snapshot;
  /** Figures of the traffic in the last second. Absent while no traffic runs. */
  readonly second: Second | undefined;
  readonly offers: readonly Offer[];
}

/** Converts snapshots to board states. Rates are differences between two snapshots. */
export class TopologyView {
  readonly #terminatedAt = new Map<string, number>();
  #previous: Snapshot | undefined;

  draw({ at, phase, becoming, now, second, offers }: ViewInput): BoardState {
    const previous = this.#previous;
    this.#previous = now;
    const interval = new Interval(previous, now);
    for (const { name, state } of now.servers)
      if (state === 'terminated' && !this.#terminatedAt.has(name)) this.#terminatedAt.set(name, at);
    const isShown = ({ name }: ServerSnapshot) => at - (this.#terminatedAt.get(name) ?? at) < SHOWN_AFTER_TERMINATION;
    const visitors = second && visitorsOf(second);
    return {
      at,
      phase,
      ...(becoming && { becoming }),
      desired: now.desired,
      ...(visitors && { visitors }),
      ...(now.edge && { edge: edgeOf(interval, now.edge) }),
      balancer: phase >= 3,
      servers: now.servers.filter(isShown).map((server) => ({
        ...instanceFigures(interval, server),
        ...(phase >= 3 ? balancerFigures(interval, server, second) : visitors && singleServerFigures(visitors)),
      })),
      workers: (now.workers ?? [])
        .filter(({ state }) => state !== 'terminated')
        .map((worker) => instanceFigures(interval, worker)),
      stores: storesOf(interval, now),
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
  return { rps, p50, p99, failed: failureCount(counts), acknowledged, missed };
}

/** Figures of a single server without a balancer: all requests of the visitors go to it. */
export function singleServerFigures({
  rps,
  failed,
  p50,
  p99,
}: BoardVisitors): Pick<BoardServer, 'rps' | 'failed' | 'latency'> {
  return { rps, failed, latency: { p50, p99 } };
}

/** The interval between two snapshots. Computes rates of counters. */
class Interval {
  readonly seconds: number;

  constructor(
    readonly previous: Snapshot | undefined,
    now: Snapshot,
  ) {
    this.seconds = Math.max(0.001, (now.at - (previous?.at ?? now.at - 1000)) / 1000);
  }

  /** @param earlier undefined if the counter did not exist yet */
  rate(earlier: number | undefined, later: number): number {
    return Math.max(0, later - (earlier ?? later)) / this.seconds;
  }
}

function instanceFigures(interval: Interval, { name, zone, state, cpuSeconds }: ServerSnapshot): BoardServer {
  const { servers = [], workers = [] } = interval.previous ?? {};
  const earlier = [...servers, ...workers].find((one) => one.name === name);
  return { name, zone, state, cpu: interval.rate(earlier?.cpuSeconds, cpuSeconds) };
}

/** Requests as the balancer counts them, and the latency that visitors measured for this server. */
function balancerFigures(
  interval: Interval,
  { name, port, requests, failures }: ServerSnapshot,
  second: Second | undefined,
): Pick<BoardServer, 'rps' | 'failed' | 'latency'> {
  const earlier = interval.previous?.servers.find((one) => one.name === name);
  const latency = second?.servers[port];
  return {
    rps: interval.rate(earlier?.requests, requests),
    failed: interval.rate(earlier?.failures, failures),
    ...(latency && { latency: { p50: latency.p50, p99: latency.p99 } }),
  };
}

function edgeOf({ previous }: Interval, { lookups, hits }: NonNullable<Snapshot['edge']>): string {
  const total = lookups - (previous?.edge?.lookups ?? 0);
  return total > 0 ? `${percent((hits - (previous?.edge?.hits ?? 0)) / total)} hits` : 'idle';
}

function storesOf(interval: Interval, now: Snapshot): BoardStore[] {
  const { previous } = interval;
  const { queries, redis, jobs } = now;
  const isUp = (name: string) => !now.down?.includes(name);
  const database = (name: string, earlier: number | undefined, later: number): BoardStore => ({
    name,
    up: isUp(name),
    figures: [`${interval.rate(earlier, later).toFixed(0)} statements/s`],
  });
  return [
    ...(redis
      ? [{ name: 'redis', up: isUp('redis'), figures: lookups(interval, previous?.redis ?? redis, redis) }]
      : []),
    database('primary', previous?.queries.primary, queries.primary),
    ...queries.replicas.map((count, index) =>
      database(`replica ${index + 1}`, previous?.queries.replicas[index], count),
    ),
    ...(jobs === undefined ? [] : [{ name: 'queue', up: true, figures: [`${jobs} ${jobs === 1 ? 'job' : 'jobs'}`] }]),
  ];
}

function lookups(
  interval: Interval,
  before: NonNullable<Snapshot['redis']>,
  now: NonNullable<Snapshot['redis']>,
): string[] {
  const [hits, misses] = [now.hits - before.hits, now.misses - before.misses];
  const total = hits + misses;
  return [`${interval.rate(0, total).toFixed(0)} lookups/s`, ...(total > 0 ? [`${percent(hits / total)} hits`] : [])];
}
