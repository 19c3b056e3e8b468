import type { RehearsalSecond } from '../rehearse/findings';
import type { Rehearsal } from '../rehearse/rehearsal';
import type { Action, Scenario } from '../rehearse/scenario';
import { LIMITS, phasesOf } from '../rehearse/scenario';
import { notOk, percent } from '../report/words';
import type { ServerSnapshot, Snapshot } from '../snapshot';
import { ZONES } from '../snapshot';
import { peakRate, totalRequests } from '../traffic/profiles';
import { Feed } from './feed';
import type { BoardServer, BoardSource, BoardStore, Offer } from './state';

export interface RehearsalBoardOptions {
  readonly title: string;
  readonly scenario: Scenario;
  /** Whether the topology can become the next phase. */
  readonly evolves: boolean;
  /** File of the report, to be told at the end. */
  readonly report: string;
}

/** Seconds that a part is away when a button takes it away. */
const ABSENCE = 5;

/** Seconds for which a server that has left is still drawn. */
const SHOWN_AFTER_LEAVING = 4;

/** Least part of its rate that the traffic is brought down to. */
const LEAST_TRAFFIC = 1 / 8;

/** A rehearsal for the board. */
export function rehearsalBoard(rehearsal: Rehearsal, options: RehearsalBoardOptions): BoardSource {
  const feed = new Feed();
  const offering = new Offers(rehearsal, options);
  const left = new Map<string, number>();
  let before: Snapshot | undefined;

  rehearsal.events.on('second', (second, now) => {
    const { phase } = rehearsal.topology;
    for (const { name, state } of now.servers) if (state === 'gone' && !left.has(name)) left.set(name, second.at);
    const isShown = ({ name }: ServerSnapshot) => second.at - (left.get(name) ?? second.at) < SHOWN_AFTER_LEAVING;
    offering.last = now;
    feed.publish({
      kind: 'state',
      state: {
        at: second.at,
        phase,
        desired: now.desired,
        visitors: {
          rps: second.rps,
          p50: second.latency.p50,
          p99: second.latency.p99,
          failed: notOk(second.counts),
          acknowledged: second.acknowledged,
          missed: second.missed,
        },
        ...(now.edge && { edge: second.edgeHits === undefined ? 'idle' : `${percent(second.edgeHits)} answered here` }),
        balancer: phase >= 3,
        servers: now.servers.filter(isShown).map((one) => serverOf(one, before, now, second, phase)),
        workers: (now.workers ?? [])
          .filter(({ state }) => state !== 'gone')
          .map((one) => ({ name: one.name, zone: one.zone, state: one.state, cpu: cpu(one, before, now) })),
        stores: storesOf(before, now, second),
        buttons: offering.now().map(({ run: _, ...button }) => button),
      },
    });
    before = now;
  });
  rehearsal.events.on('event', (event) => feed.publish({ kind: 'event', event }));
  void rehearsal.finished.then(
    () => feed.publish({ kind: 'over', what: `The rehearsal is over. Its report with charts: ${options.report}` }),
    () => feed.publish({ kind: 'over', what: 'The rehearsal has ended early. Its terminal says why.' }),
  );
  return {
    title: options.title,
    shop: rehearsal.topology.url,
    watch: (tell) => feed.watch(tell),
    offers: () => offering.now(),
    stop: async () => {},
  };
}

function serverOf(
  server: ServerSnapshot,
  before: Snapshot | undefined,
  now: Snapshot,
  second: RehearsalSecond,
  phase: number,
): BoardServer {
  const { name, zone, state } = server;
  const drawn = { name, zone, state, cpu: cpu(server, before, now) };
  // Without a balancer nobody counts but the visitors; and there is only one server.
  if (phase <= 2) return { ...drawn, rps: second.rps, failed: notOk(second.counts), latencyMs: second.latency.p50 };
  const earlier = before?.servers.find((one) => one.name === name);
  const rate = (of: 'requests' | 'failures') => Math.max(0, server[of] - (earlier?.[of] ?? 0)) / took(before, now);
  return { ...drawn, rps: rate('requests'), failed: rate('failures'), latencyMs: server.latencyMs };
}

function cpu({ name, cpuSeconds }: ServerSnapshot, before: Snapshot | undefined, now: Snapshot): number {
  const earlier = [...(before?.servers ?? []), ...(before?.workers ?? [])].find((one) => one.name === name);
  return Math.max(0, cpuSeconds - (earlier?.cpuSeconds ?? cpuSeconds)) / took(before, now);
}

function storesOf(before: Snapshot | undefined, now: Snapshot, { queries }: RehearsalSecond): BoardStore[] {
  const isUp = (name: string) => !now.down?.includes(name);
  const { redis, jobs } = now;
  const replicas = now.queries.replicas.map((count, index): BoardStore => {
    const rate = (count - (before?.queries.replicas[index] ?? count)) / took(before, now);
    const name = `replica ${index + 1}`;
    return { name, up: isUp(name), figures: [transactions(rate)] };
  });
  return [
    ...(redis
      ? [{ name: 'redis', up: isUp('redis'), figures: lookups(before?.redis ?? redis, redis, took(before, now)) }]
      : []),
    { name: 'primary', up: isUp('primary'), figures: [transactions(queries.primary)] },
    ...replicas,
    ...(jobs === undefined ? [] : [{ name: 'queue', up: true, figures: [`${jobs} ${jobs === 1 ? 'job' : 'jobs'}`] }]),
  ];
}

function transactions(rate: number): string {
  return `${Math.max(0, rate).toFixed(0)} transactions/s`;
}

function lookups(
  before: NonNullable<Snapshot['redis']>,
  now: NonNullable<Snapshot['redis']>,
  seconds: number,
): string[] {
  const [hits, misses] = [now.hits - before.hits, now.misses - before.misses];
  const all = hits + misses;
  return [`${(all / seconds).toFixed(0)} look-ups/s`, `${percent(all > 0 ? hits / all : undefined)} hits`];
}

/** Seconds. */
function took(before: Snapshot | undefined, now: Snapshot): number {
  return Math.max(0.001, (now.at - (before?.at ?? now.at - 1000)) / 1000);
}

/** What can be done to a rehearsal, by what its topology looked like last. */
class Offers {
  last: Snapshot | undefined;
  #factor = 1;

  constructor(
    private readonly rehearsal: Rehearsal,
    private readonly options: RehearsalBoardOptions,
  ) {}

  now(): Offer[] {
    if (this.last === undefined) return [];
    const { servers, desired, down = [] } = this.last;
    const { evolves } = this.options;
    const inService = servers.filter(({ state }) => state === 'in-service');
    const { phase } = this.rehearsal.topology;
    const may = (action: Action) => phasesOf(action).includes(phase);
    const act = (of: string, id: string, label: string, action: Action): Offer[] =>
      may(action) ? [{ of, id, label, run: () => this.rehearsal.act(action) }] : [];
    const when = (offered: boolean, offers: readonly Offer[]) => (offered ? offers : []);
    return [
      ...this.#traffic(),
      ...when(
        desired < LIMITS.servers,
        act('fleet', 'add-server', 'Add a server', { kind: 'scale', servers: desired + 1 }),
      ),
      ...when(desired > 1, act('fleet', 'remove-server', 'Remove a server', { kind: 'scale', servers: desired - 1 })),
      ...when(inService.length > 0, act('fleet', 'deploy', 'Deploy a new version', { kind: 'deploy' })),
      ...when(inService.length > 0, act('fleet', 'spot-notice', 'Spot notice', { kind: 'spot-notice', count: 1 })),
      ...inService.flatMap(({ name }) =>
        act(name, `kill-${name}`, 'Kill', { kind: 'kill-servers', count: 1, server: name }),
      ),
      ...ZONES.flatMap((zone) =>
        when(
          inService.some((server) => server.zone === zone) && !down.some((name) => zoneOf(name) === zone),
          act(`zone ${zone}`, `kill-zone-${zone}`, 'Kill the zone', { kind: 'kill-zone', zone }),
        ),
      ),
      ...when(
        !down.includes('primary'),
        act('primary', 'fail-over-database', 'Fail over', { kind: 'kill-database', seconds: ABSENCE }),
      ),
      ...when(
        !down.includes('replica 1') && this.last.queries.replicas.length > 0,
        act('replica 1', 'kill-replica', 'Kill', { kind: 'kill-replica', seconds: ABSENCE }),
      ),
      ...when(
        !down.includes('redis'),
        act('redis', 'fail-over-redis', 'Fail over', { kind: 'kill-redis', seconds: ABSENCE }),
      ),
      ...when(evolves, act('run', 'next-phase', `On to phase ${phase + 1}`, { kind: 'next-phase' })),
      { of: 'run', id: 'end', label: 'End and count what was lost', run: async () => this.rehearsal.end() },
    ];
  }

  #traffic(): Offer[] {
    const { load } = this.options.scenario;
    const most = Math.min(LIMITS.rps / peakRate(load), LIMITS.requests / totalRequests(load));
    const to = (id: string, label: string, factor: number): Offer => ({
      of: 'traffic',
      id,
      label,
      run: async () => {
        this.#factor = factor;
        await this.rehearsal.act({ kind: 'traffic', factor });
      },
    });
    return [
      ...(this.#factor * 2 <= most ? [to('more-traffic', 'Twice the traffic', this.#factor * 2)] : []),
      ...(this.#factor > LEAST_TRAFFIC ? [to('less-traffic', 'Half the traffic', this.#factor / 2)] : []),
    ];
  }
}

/** The zone in which something that keeps data lies; see `Faults`. */
function zoneOf(store: string): string | undefined {
  const replica = /^replica (\d+)$/.exec(store)?.[1];
  return replica === undefined ? ZONES[0] : ZONES[Number(replica)];
}
