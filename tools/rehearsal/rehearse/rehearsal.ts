import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { UsageError } from '../../support/usage-error';
import type { ServerSnapshot, Snapshot } from '../topology/snapshot';
import type { Topology, TopologyEvent } from '../topology/topology';
import type { Second } from '../traffic/messages';
import { startTraffic, type Traffic, visitorAddresses } from '../traffic/traffic';
import type { Findings, Fired, RehearsalEvent, RehearsalSecond } from './findings';
import type { Action, Scenario, Step } from './scenario';

/** Seconds that background jobs may take after the last order: those of a dead worker come back after a minute. */
const RECEIPTS_WITHIN = 75;

/** A topology under traffic, while the steps of a scenario happen to it. */
export interface Rehearsal {
  readonly topology: Topology;
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

/** Lets the scenario's traffic and steps loose on a topology that runs; it ends with the rehearsal, however that ends. */
export async function startRehearsal(scenario: Scenario, topology: Topology): Promise<Rehearsal> {
  const traffic = await startTraffic({
    url: topology.url,
    databaseUrl: topology.databaseUrl,
    load: scenario.load,
    reloads: scenario.reloads,
    addresses: visitorAddresses(),
    seed: 1,
  }).catch(async (error) => {
    await topology.stop();
    throw error;
  });
  return new Run(scenario, topology, traffic, await topology.snapshot());
}

class Run implements Rehearsal {
  readonly events: Rehearsal['events'] = new EventEmitter();
  readonly finished: Promise<Findings>;
  readonly #seconds: RehearsalSecond[] = [];
  readonly #events: RehearsalEvent[] = [];
  readonly #fired: Fired[] = [];
  readonly #servers = new Map<string, ServerSnapshot>();
  readonly #stopped = new AbortController();
  #watched: Promise<void> = Promise.resolve();
  #last: Snapshot;

  constructor(
    private readonly scenario: Scenario,
    readonly topology: Topology,
    private readonly traffic: Traffic,
    private readonly first: Snapshot,
  ) {
    this.#last = first;
    traffic.events.on('second', (second) => {
      // One look after the other, as each is compared with the one before.
      this.#watched = this.#watched.then(() => this.#watch(second));
    });
    topology.events.on('event', this.#hear);
    this.finished = this.#run();
    // It is looked at by whoever waits for it.
    this.finished.catch(() => {});
  }

  async act(action: Action): Promise<void> {
    const before = await this.topology.snapshot();
    const fired: Fired = { at: this.#now(), action, before };
    this.#fired.push(fired);
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
      const steps = Promise.all(this.scenario.steps.map((step) => this.#later(step)));
      const [traffic] = await Promise.all([this.traffic.ended, steps]);
      await this.#watched;
      // A step may take longer than the traffic.
      await this.#look();
      const edge = lookedUp(this.first, this.#last);
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
        notes: topology.notes,
      };
    } finally {
      await this.stop();
    }
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
    const after = await this.#look();
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
  }

  async #look(): Promise<Snapshot> {
    this.#last = await this.topology.snapshot();
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
