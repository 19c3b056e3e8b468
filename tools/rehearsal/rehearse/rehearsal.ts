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
import { capacityLine, carriedRate, fitRate, mayCalibrate } from './capacity';
import type { Findings, Fired, RehearsalEvent, RehearsalSecond } from './findings';
import { type Action, LIMITS, type Scenario, type Step } from './scenario';
import { ServedPhases } from './served-phases';
import { isSettled } from './settled';

/** Seconds without a receipt after which no more are expected: jobs of a dead worker come back after a minute. */
const RECEIPTS_WITHIN = 75;

/** Seconds. */
export const WAITS = {
  /** A phase serves for so long before it becomes the next one. */
  serves: 5,
  /** After so long, a phase that answers nothing is given up. */
  answersWithin: 60,
  /** The topology is at rest for so long before the traffic ends. */
  atRest: 5,
  /** The traffic continues at most so long after its time, for what was done to the topology to be over. */
  overtime: 120,
};

/** Milliseconds between two looks at what is waited for. */
const LOOK = 250;

/** A topology under traffic, while the steps of a scenario happen to it. */
export interface Rehearsal {
  readonly topology: Topology;
  /** With the rate that this machine carries, where none was given. */
  readonly scenario: Scenario;
  /** Emits each second of traffic with the topology at its end, and whatever happens. */
  readonly events: EventEmitter<{ second: [RehearsalSecond, Snapshot]; event: [RehearsalEvent] }>;
  /** Resolves after the traffic and the audit; rejects when a step could not be done. */
  readonly finished: Promise<Findings>;
  /** Something by hand; resolves when it has begun. */
  act(action: Action): Promise<void>;
  /** Ends the traffic before its time; `finished` follows. */
  end(): void;
  /** Ends everything at once, also the topology. Safe to call twice. */
  stop(): Promise<void>;
}

export interface RehearsalOptions {
  /**
   * Whether to find first what this machine carries.
   *
   * @default false
   */
  readonly calibrate?: boolean;
  /** Receives one line for each step before the traffic. */
  readonly say?: (line: string) => void;
}

/** Lets the scenario's traffic and steps loose on a topology that runs; it ends with the rehearsal, however that ends. */
export async function startRehearsal(
  scenario: Scenario,
  topology: Topology,
  { calibrate = false, say = () => {} }: RehearsalOptions = {},
): Promise<Rehearsal> {
  const generator = startGenerator();
  try {
    const { url, databaseUrl } = topology;
    let carried: number | undefined;
    if (calibrate && mayCalibrate(scenario)) {
      say('calibration: a few seconds of traffic that is not counted');
      const saturated = await generator.calibrate({ url, databaseUrl, addresses: calibrationAddresses() });
      carried = carriedRate(saturated, scenario);
      say(capacityLine(scenario, carried));
    }
    const fitted = carried === undefined ? scenario : fitRate(scenario, carried);
    const before = await topology.snapshot();
    const { load, reloads } = fitted;
    say('starting traffic');
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
  #watched: Promise<void> = Promise.resolve();
  #last: Snapshot;
  /** No more requests become due. */
  #over = false;
  /** A phase could not be started. */
  #stays = false;
  /** Since when everything that was done to the topology is over, in seconds. */
  #settledAt: number | undefined;
  /** Seconds in which the generator was late, and whether that was said. */
  #late = 0;
  #lateSaid = false;

  /**
   * @param before the topology just before the traffic: what was counted by then is not the visitors'
   * @param first at its start
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
    this.#last = since(before, first);
    this.#served = new ServedPhases(topology.phase);
    if (scenario.steps.length > 0) traffic.hold();
    traffic.events.on('second', (second) => {
      // One look after the other, as each is compared with the one before.
      this.#watched = this.#watched.then(() => this.#watch(second));
    });
    topology.events.on('event', this.#hear);
    traffic.ended.then(
      () => (this.#over = true),
      () => {},
    );
    this.finished = this.#run();
    // It is looked at by whoever waits for it.
    this.finished.catch(() => {});
  }

  async act(action: Action): Promise<void> {
    // Its end must be seen, however slow the machine is.
    this.traffic.hold();
    const before = since(this.before, await this.topology.snapshot());
    const fired: Fired = { at: this.#now(), action, before };
    this.#fired.push(fired);
    this.#settledAt = undefined;
    try {
      await this.#do(action);
    } catch (error) {
      // What was refused has not happened.
      if (error instanceof UsageError) this.#fired.splice(this.#fired.indexOf(fired), 1);
      throw error;
    }
  }

  async #do(action: Action): Promise<void> {
    switch (action.kind) {
      case 'traffic':
        this.traffic.scale(action.factor);
        this.#note(`traffic: ${action.factor} times what the profile says`);
        return;
      case 'scale':
        this.#note(`the group wants ${action.servers} servers`);
        await this.topology.scale(action.servers);
        this.#note(`${action.servers} servers are in service`);
        return;
      default:
        // The topology itself tells what it did.
        await this.topology.inject(action);
    }
  }

  end(): void {
    this.traffic.end();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.topology.events.off('event', this.#hear);
    await this.traffic.stop();
    await this.topology.stop();
  }

  async #run(): Promise<Findings> {
    try {
      const steps = this.#steps();
      const [traffic] = await Promise.all([this.traffic.ended, steps, this.#endTraffic(steps)]);
      await this.#watched;
      // A step may take longer than the traffic.
      await this.#look();
      const edge = lookedUp(this.before, this.#last);
      const audit = await this.traffic.audit(this.topology.databaseUrl, RECEIPTS_WITHIN);
      const { scenario, topology } = this;
      return {
        scenario,
        seconds: this.#seconds,
        events: this.#events,
        fired: this.#fired,
        traffic,
        audit,
        ...(edge && { edge }),
        servers: atTheEnd([...this.#servers.values()], this.#last),
        ...(this.#served.all.length > 0 && { served: this.#served.all }),
        ...(this.carried !== undefined && { carried: this.carried }),
        ...(!topology.confined && { unconfined: true }),
        notes: topology.notes,
      };
    } finally {
      await this.stop();
    }
  }

  /** All of the scenario's. A phase becomes the next one once it has answered for a while itself. */
  async #steps(): Promise<void> {
    let turn = Promise.resolve();
    const all = this.scenario.steps.map((step) => {
      if (step.action.kind !== 'next-phase') return this.#later(step);
      turn = turn.then(() => this.#evolve(step));
      return turn;
    });
    await Promise.all(all);
  }

  /** A phase that cannot be started leaves the one before it in service, and none after it is tried. */
  async #evolve(step: Step): Promise<void> {
    if (this.#stays) return;
    try {
      await this.#later(step);
      await this.#serves();
    } catch (error) {
      if (this.#stopped.signal.aborted || error instanceof UsageError) throw error;
      this.#stays = true;
      this.#note(`phase ${this.topology.phase + 1} did not start: ${firstLine(error as Error)}`);
    }
  }

  /** Resolves when the phase has answered for a while, or answers nothing, or the traffic is over. */
  async #serves(): Promise<void> {
    const { phase } = this.topology;
    const switched = this.#now();
    const past = (seconds: number) => this.#now() >= switched + seconds;
    const answers = () => (this.#served.answered(phase) ?? 0) > 0;
    while (!this.#over && !past(this.waits.answersWithin) && !(past(this.waits.serves) && answers()))
      await this.#pause();
  }

  /** Ends traffic that is held: after its time, once the steps are done and the topology is at rest. */
  async #endTraffic(steps: Promise<void>): Promise<void> {
    const { load } = this.scenario;
    const most = longest(load);
    let done = false;
    steps.then(
      () => (done = true),
      () => (done = true),
    );
    while (!this.#over && (this.#now() < load.seconds || !done) && this.#now() < most) await this.#pause();
    const end = Math.min(most, this.#now() + this.waits.overtime);
    const atRest = () => this.#settledAt !== undefined && this.#now() >= this.#settledAt + this.waits.atRest;
    // A run that will not be judged need not show how it ends.
    while (!this.#over && !this.#lateSaid && !atRest() && this.#now() < end) await this.#pause();
    this.traffic.end();
  }

  async #pause(): Promise<void> {
    await sleep(LOOK, undefined, { signal: this.#stopped.signal });
  }

  async #later({ at, action }: Step): Promise<void> {
    const waiting = Promise.race([
      sleep(at * 1000 - this.#now() * 1000, 'due', { signal: this.#stopped.signal }),
      this.traffic.ended.then(() => 'over'),
    ]);
    if ((await waiting) === 'due') await this.act(action);
  }

  async #watch(second: Second): Promise<void> {
    const before = this.#last;
    const after = await this.#look(second);
    const took = second.at - (this.#seconds.at(-1)?.at ?? 0);
    // The last one is rarely a whole one.
    if (took < 0.5) return;
    const seen: RehearsalSecond = {
      ...second,
      rps: Object.values(second.counts).reduce((sum, count) => sum + count, 0) / took,
      ...compare(before, after),
    };
    this.#seconds.push(seen);
    this.events.emit('second', seen, after);
    if (isLate(second)) this.#late += took;
    if (this.#lateSaid || this.#late <= LATE_SHARE * this.scenario.load.seconds) return;
    this.#lateSaid = true;
    this.#note('the load generator is late: this machine does not carry the load, and the run will not be judged');
  }

  async #look(second?: Second): Promise<Snapshot> {
    const { phase } = this.topology;
    this.#last = since(this.before, await this.topology.snapshot());
    this.#served.see(phase, this.#last, second?.counts);
    const settled = isSettled(this.#last, this.#fired, this.#now());
    this.#settledAt = settled ? (this.#settledAt ?? this.#now()) : undefined;
    for (const server of this.#last.servers) this.#servers.set(server.name, server);
    return this.#last;
  }

  readonly #hear = ({ what }: TopologyEvent) => this.#note(what);

  #note(what: string): void {
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
 * All servers that were ever seen, as they are at the end. Those of an earlier phase are looked at no more once the next one
 * serves, and leave after that.
 */
export function atTheEnd(seen: readonly ServerSnapshot[], last: Pick<Snapshot, 'servers'>): ServerSnapshot[] {
  const there = new Set(last.servers.map(({ name }) => name));
  return seen.map((server) => (there.has(server.name) ? server : { ...server, state: 'terminated' }));
}

/** What servers did since a look before the traffic; all else as it is now. */
export function since(before: Pick<Snapshot, 'servers'>, now: Snapshot): Snapshot {
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

/** Seconds that traffic may take within the limits, with what is added to its time. */
function longest(load: Scenario['load']): number {
  const left = (LIMITS.requests - totalRequests(load)) / load.rps;
  return Math.max(load.seconds, Math.min(LIMITS.seconds, load.seconds + left));
}

/** An edge that came on the way began at 0. */
function lookedUp({ edge: before }: Snapshot, { edge: after }: Snapshot): Findings['edge'] {
  return after && { lookups: after.lookups - (before?.lookups ?? 0), hits: after.hits - (before?.hits ?? 0) };
}

function compare(before: Snapshot, after: Snapshot): Omit<RehearsalSecond, keyof Second | 'rps'> {
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
