import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { UsageError } from '../../support/usage-error';
import { firstLine } from '../programs/parts';
import type { ServerSnapshot, Snapshot } from '../topology/snapshot';
import type { Topology, TopologyEvent } from '../topology/topology';
import type { Second } from '../traffic/messages';
import { totalRequests } from '../traffic/profiles';
import { isLate, LATE_SHARE } from '../traffic/punctuality';
import { calibrationAddresses, startGenerator, type Traffic, visitorAddresses } from '../traffic/traffic';
import { capacityLine, carriedRate, fitRate, shouldCalibrate } from './capacity';
import type { Findings, Fired, RehearsalEvent, RehearsalSecond } from './findings';
import { type Action, LIMITS, type Scenario, type Step } from './scenario';
import { ServedPhases } from './served-phases';
import { isSettled } from './settled';

/** Seconds without progress before waiting for receipts ends. Jobs of a dead worker become visible again after 60 s. */
const RECEIPT_TIMEOUT = 75;

/** Seconds. */
export const WAITS = {
  /** Minimum time that a phase serves before the next transition. */
  minServing: 5,
  /** Time limit for the first response of a phase. */
  firstResponse: 60,
  /** Time that the topology must be settled before the traffic ends. */
  settled: 5,
  /** Maximum extension of the traffic while the topology settles. */
  overtime: 120,
};

/** Milliseconds. */
const POLL_INTERVAL = 250;

/** A running scenario: a topology, its traffic, and the steps executed on it. */
export interface Rehearsal {
  readonly topology: Topology;
  /** With the calibrated rate if none was given. */
  readonly scenario: Scenario;
  /** Emits `second` with the state of the topology at its end, and `event`. */
  readonly events: EventEmitter<{ second: [RehearsalSecond, Snapshot]; event: [RehearsalEvent] }>;
  /** Resolves after the traffic and the audit; rejects if a step fails. */
  readonly finished: Promise<Findings>;
  /** Executes an action now; resolves once it has started. */
  act(action: Action): Promise<void>;
  /** Ends the traffic early; `finished` resolves after the audit. */
  end(): void;
  /** Stops everything, including the topology. Safe to call twice. */
  stop(): Promise<void>;
}

export interface RehearsalOptions {
  /**
   * Whether to measure first the rate that this machine carries.
   *
   * @default false
   */
  readonly calibrate?: boolean;
  /** Receives one line for each preparation step. */
  readonly onProgress?: (line: string) => void;
}

/** Starts the traffic and steps of a scenario on a running topology. The topology stops with the rehearsal, also on failure. */
export async function startRehearsal(
  scenario: Scenario,
  topology: Topology,
  { calibrate = false, onProgress = () => {} }: RehearsalOptions = {},
): Promise<Rehearsal> {
  const generator = startGenerator();
  try {
    const { url, databaseUrl } = topology;
    let carried: number | undefined;
    if (calibrate && shouldCalibrate(scenario)) {
      onProgress('calibrating for a few seconds; this traffic does not count');
      const saturated = await generator.calibrate({ url, databaseUrl, addresses: calibrationAddresses() });
      carried = carriedRate(saturated, scenario);
      onProgress(capacityLine(scenario, carried));
    }
    const fitted = carried === undefined ? scenario : fitRate(scenario, carried);
    const before = await topology.snapshot();
    const { load, reloads } = fitted;
    onProgress('starting traffic');
    const traffic = await generator.start({ url, databaseUrl, load, reloads, addresses: visitorAddresses(), seed: 1 });
    return new Run(fitted, topology, traffic, before, await topology.snapshot(), carried);
  } catch (error) {
    await generator.stop();
    await topology.stop();
    throw error;
  }
}

/** A rehearsal whose traffic has started. */
export class Run implements Rehearsal {
  readonly events: Rehearsal['events'] = new EventEmitter();
  readonly finished: Promise<Findings>;
  readonly #seconds: RehearsalSecond[] = [];
  readonly #events: RehearsalEvent[] = [];
  readonly #fired: Fired[] = [];
  readonly #servers = new Map<string, ServerSnapshot>();
  readonly #stopped = new AbortController();
  readonly #served: ServedPhases;
  #samples: Promise<void> = Promise.resolve();
  #last: Snapshot;
  #trafficEnded = false;
  #evolutionFailed = false;
  /** Time since which the topology is settled, in seconds. */
  #settledAt: number | undefined;
  /** Seconds in which the generator was late. */
  #late = 0;
  #lateReported = false;

  /**
   * @param before state before the traffic; its counters are subtracted
   * @param first state at the start of the traffic
   */
  constructor(
    readonly scenario: Scenario,
    readonly topology: Topology,
    private readonly traffic: Traffic,
    private readonly before: Snapshot,
    first: Snapshot,
    private readonly carried?: number,
    private readonly waits = WAITS,
  ) {
    this.#last = subtractCounters(before, first);
    this.#served = new ServedPhases(topology.phase);
    if (scenario.steps.length > 0) traffic.hold();
    traffic.events.on('second', (second) => {
      // Samples are sequential: each is compared with the previous one.
      this.#samples = this.#samples.then(() => this.#recordSecond(second));
    });
    topology.events.on('event', this.#onTopologyEvent);
    traffic.ended.then(
      () => (this.#trafficEnded = true),
      () => {},
    );
    this.finished = this.#run();
    // Consumers of `finished` handle the rejection.
    this.finished.catch(() => {});
  }

  async act(action: Action): Promise<void> {
    // The traffic must outlast the recovery, also on a slow machine.
    this.traffic.hold();
    const before = subtractCounters(this.before, await this.topology.snapshot());
    const fired: Fired = { at: this.#now(), action, before };
    this.#fired.push(fired);
    this.#settledAt = undefined;
    try {
      await this.#execute(action);
    } catch (error) {
      // The action was rejected before it had an effect.
      if (error instanceof UsageError) this.#fired.splice(this.#fired.indexOf(fired), 1);
      throw error;
    }
  }

  async #execute(action: Action): Promise<void> {
    switch (action.kind) {
      case 'traffic':
        this.traffic.scale(action.factor);
        this.#emitEvent(`traffic at ${action.factor}x the rate of the profile`);
        return;
      case 'scale':
        this.#emitEvent(`desired capacity ${action.servers}`);
        await this.topology.scale(action.servers);
        this.#emitEvent(`${action.servers} servers in service`);
        return;
      default:
        // The topology emits the events.
        await this.topology.inject(action);
    }
  }

  end(): void {
    this.traffic.end();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.topology.events.off('event', this.#onTopologyEvent);
    await this.traffic.stop();
    await this.topology.stop();
  }

  async #run(): Promise<Findings> {
    try {
      const steps = this.#runSteps();
      const [traffic] = await Promise.all([this.traffic.ended, steps, this.#endTraffic(steps)]);
      await this.#samples;
      // A step may outlast the traffic.
      await this.#sample();
      const edge = edgeCounts(this.before, this.#last);
      const audit = await this.traffic.audit(this.topology.databaseUrl, RECEIPT_TIMEOUT);
      const { scenario, topology } = this;
      return {
        scenario,
        seconds: this.#seconds,
        events: this.#events,
        fired: this.#fired,
        traffic,
        audit,
        ...(edge && { edge }),
        servers: finalStates([...this.#servers.values()], this.#last),
        ...(this.#served.all.length > 0 && { served: this.#served.all }),
        ...(this.carried !== undefined && { carried: this.carried }),
        ...(!topology.confined && { unconfined: true }),
        notes: topology.notes,
      };
    } finally {
      await this.stop();
    }
  }

  /** Executes the scenario's steps. Transitions to a next phase are sequential. */
  async #runSteps(): Promise<void> {
    let turn = Promise.resolve();
    const all = this.scenario.steps.map((step) => {
      if (step.action.kind !== 'next-phase') return this.#runStep(step);
      turn = turn.then(() => this.#evolve(step));
      return turn;
    });
    await Promise.all(all);
  }

  /** Moves to the next phase. If it fails to start, the current phase stays in service and no further one is tried. */
  async #evolve(step: Step): Promise<void> {
    if (this.#evolutionFailed) return;
    try {
      await this.#runStep(step);
      await this.#untilServing();
    } catch (error) {
      if (this.#stopped.signal.aborted || error instanceof UsageError) throw error;
      this.#evolutionFailed = true;
      this.#emitEvent(`phase ${this.topology.phase + 1} did not start: ${firstLine(error as Error)}`);
    }
  }

  /** Resolves when the phase has served for a while, when it times out, or when the traffic has ended. */
  async #untilServing(): Promise<void> {
    const { phase } = this.topology;
    const switched = this.#now();
    const past = (seconds: number) => this.#now() >= switched + seconds;
    const answers = () => (this.#served.answered(phase) ?? 0) > 0;
    while (!this.#trafficEnded && !past(this.waits.firstResponse) && !(past(this.waits.minServing) && answers()))
      await this.#pause();
  }

  /** Ends held traffic after its duration, once the steps are done and the topology has settled. */
  async #endTraffic(steps: Promise<void>): Promise<void> {
    const { load } = this.scenario;
    const most = maxSeconds(load);
    let done = false;
    steps.then(
      () => (done = true),
      () => (done = true),
    );
    while (!this.#trafficEnded && (this.#now() < load.seconds || !done) && this.#now() < most) await this.#pause();
    const end = Math.min(most, this.#now() + this.waits.overtime);
    const isAtRest = () => this.#settledAt !== undefined && this.#now() >= this.#settledAt + this.waits.settled;
    // A late run is not judged, so it does not wait for recovery.
    while (!this.#trafficEnded && !this.#lateReported && !isAtRest() && this.#now() < end) await this.#pause();
    this.traffic.end();
  }

  async #pause(): Promise<void> {
    await sleep(POLL_INTERVAL, undefined, { signal: this.#stopped.signal });
  }

  async #runStep({ at, action }: Step): Promise<void> {
    const waiting = Promise.race([
      sleep(at * 1000 - this.#now() * 1000, 'due', { signal: this.#stopped.signal }),
      this.traffic.ended.then(() => 'over'),
    ]);
    if ((await waiting) === 'due') await this.act(action);
  }

  async #recordSecond(second: Second): Promise<void> {
    const before = this.#last;
    const after = await this.#sample(second);
    const took = second.at - (this.#seconds.at(-1)?.at ?? 0);
    // Drops the remainder after the last full second.
    if (took < 0.5) return;
    const seen: RehearsalSecond = {
      ...second,
      rps: Object.values(second.counts).reduce((sum, count) => sum + count, 0) / took,
      ...ratesBetween(before, after),
    };
    this.#seconds.push(seen);
    this.events.emit('second', seen, after);
    if (isLate(second)) this.#late += took;
    if (this.#lateReported || this.#late <= LATE_SHARE * this.scenario.load.seconds) return;
    this.#lateReported = true;
    this.#emitEvent('the load generator is late: this machine does not carry the load; the run will not be judged');
  }

  async #sample(second?: Second): Promise<Snapshot> {
    const { phase } = this.topology;
    this.#last = subtractCounters(this.before, await this.topology.snapshot());
    this.#served.record(phase, this.#last, second?.counts);
    const settled = isSettled(this.#last, this.#fired, this.#now());
    this.#settledAt = settled ? (this.#settledAt ?? this.#now()) : undefined;
    for (const server of this.#last.servers) this.#servers.set(server.name, server);
    return this.#last;
  }

  readonly #onTopologyEvent = ({ what }: TopologyEvent) => this.#emitEvent(what);

  #emitEvent(what: string): void {
    const event = { at: this.#now(), what };
    this.#events.push(event);
    this.events.emit('event', event);
  }

  /** Seconds from the start of the traffic. */
  #now(): number {
    return (Date.now() - this.traffic.startedAt) / 1000;
  }
}

/**
 * Returns the final state of every server. Servers of an earlier phase are absent from snapshots once the next phase serves;
 * they have terminated.
 */
export function finalStates(seen: readonly ServerSnapshot[], last: Pick<Snapshot, 'servers'>): ServerSnapshot[] {
  const present = new Set(last.servers.map(({ name }) => name));
  return seen.map((server) => (present.has(server.name) ? server : { ...server, state: 'terminated' }));
}

/** Subtracts the servers' counters of an earlier snapshot. */
export function subtractCounters(before: Pick<Snapshot, 'servers'>, now: Snapshot): Snapshot {
  const earlier = new Map(before.servers.map((server) => [server.name, server]));
  const servers = now.servers.map((server) => {
    const { requests = 0, failures = 0, cpuSeconds = 0 } = earlier.get(server.name) ?? {};
    return {
      ...server,
      requests: server.requests - requests,
      failures: server.failures - failures,
      cpuSeconds: server.cpuSeconds - cpuSeconds,
    };
  });
  return { ...now, servers };
}

/** Maximum duration of the traffic within the limits, including extensions. */
function maxSeconds(load: Scenario['load']): number {
  const left = (LIMITS.requests - totalRequests(load)) / load.rps;
  return Math.max(load.seconds, Math.min(LIMITS.seconds, load.seconds + left));
}

/** Lookups and hits of the edge since the start. An edge added during the run started at 0. */
function edgeCounts({ edge: before }: Snapshot, { edge: after }: Snapshot): Findings['edge'] {
  return after && { lookups: after.lookups - (before?.lookups ?? 0), hits: after.hits - (before?.hits ?? 0) };
}

function ratesBetween(before: Snapshot, after: Snapshot): Omit<RehearsalSecond, keyof Second | 'rps'> {
  const took = Math.max(1, after.at - before.at) / 1000;
  const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);
  const lookups = (after.edge?.lookups ?? 0) - (before.edge?.lookups ?? 0);
  const inService = (servers: readonly ServerSnapshot[]) =>
    servers.filter(({ state }) => state === 'in-service').length;
  return {
    inService: inService(after.servers),
    desired: after.desired,
    queries: {
      primary: Math.max(0, after.queries.primary - before.queries.primary) / took,
      writes: Math.max(0, after.queries.writes - before.queries.writes) / took,
      replicas: Math.max(0, sum(after.queries.replicas) - sum(before.queries.replicas)) / took,
    },
    connections: after.connections,
    ...(after.edge && lookups > 0 && { edgeHits: (after.edge.hits - (before.edge?.hits ?? 0)) / lookups }),
    ...(after.jobs !== undefined && { jobs: after.jobs }),
    ...(after.workers && { workers: inService(after.workers) }),
  };
}
