import { cpus } from 'node:os';
import { type EventLoopUtilization, performance } from 'node:perf_hooks';
import type { Sent } from './client';
import { LatencyHistogram, RecentLatencies } from './histogram';
import {
  IN_TIME,
  KINDS,
  type Kind,
  type Latency,
  OUTCOMES,
  RECENT,
  type Second,
  SOURCES,
  type TrafficSummary,
} from './messages';
import { isSlow } from './punctuality';

/** Counts and times requests, second by second and as a whole. */
export class Figures {
  /** Cart items, orders and log-ins that were acknowledged so far, and those that their visitor did not find again. */
  acknowledged = 0;
  missed = 0;
  readonly #start = performance.now();
  #end: number | undefined;
  #loop: EventLoopUtilization = performance.eventLoopUtilization();
  #processors = processorTimes();
  /** When the last second ended. */
  #at = 0;

  #second = freshSecond();
  readonly #latency = new LatencyHistogram();
  readonly #late = new LatencyHistogram();

  readonly #total = { due: 0, reloads: 0, counts: noCounts(), sources: noSources(), unsent: 0, lateSeconds: 0 };
  readonly #all = new LatencyHistogram();
  readonly #ofFailures = new LatencyHistogram();
  readonly #byKind = Object.fromEntries(
    KINDS.map((kind) => [kind, { counts: noCounts(), latency: new LatencyHistogram() }]),
  ) as Record<Kind, { counts: ReturnType<typeof noCounts>; latency: LatencyHistogram }>;
  readonly #failures = new Map<string, number>();
  /** By port. */
  readonly #servers = new Map<string, RecentLatencies>();

  /**
   * @param lateMs after it was due
   * @param inFlight requests that wait for their answer now
   * @param again whether it loads something again
   */
  sent(lateMs: number, inFlight: number, again: boolean): void {
    this.#second.due += 1;
    if (again) this.#second.reloads += 1;
    this.#second.inFlight = Math.max(this.#second.inFlight, inFlight);
    this.#late.record(lateMs);
  }

  /**
   * It was due, and too many were waiting already.
   *
   * @param lateMs after it was due
   */
  unsent(lateMs: number): void {
    this.#second.due += 1;
    this.#late.record(lateMs);
    this.#second.counts.failed += 1;
    this.#total.unsent += 1;
    this.#fail('not sent');
  }

  /** @param ms since it was due */
  answered(kind: Kind, { outcome, failure, source, server }: Sent, ms: number): void {
    const ofKind = this.#byKind[kind];
    for (const { counts } of [this.#second, ofKind]) counts[outcome] += 1;
    if (outcome === 'ok' && ms <= IN_TIME) this.#second.inTime += 1;
    for (const histogram of [this.#all, this.#latency, ofKind.latency]) histogram.record(ms);
    if (source !== undefined) this.#second.sources[source] += 1;
    if (server !== undefined) this.#of(server).record(ms);
    if (failure !== undefined) {
      this.#fail(failure);
      this.#ofFailures.record(ms);
    }
  }

  /** The second that ends now. */
  takeSecond(): Second {
    const { utilization } = performance.eventLoopUtilization(this.#loop);
    this.#loop = performance.eventLoopUtilization();
    const processors = processorTimes();
    const second: Second = {
      ...this.#second,
      at: this.#elapsed(),
      latency: this.#latency.latency,
      servers: this.#takeServers(),
      acknowledged: this.acknowledged,
      missed: this.missed,
      lateMs: this.#late.percentile(99),
      busy: utilization,
      idle: idleShare(this.#processors, processors),
    };
    this.#processors = processors;
    this.#second = freshSecond();
    this.#latency.reset();
    this.#late.reset();
    this.#total.due += second.due;
    this.#total.reloads += second.reloads;
    for (const outcome of OUTCOMES) this.#total.counts[outcome] += second.counts[outcome];
    for (const source of SOURCES) this.#total.sources[source] += second.sources[source];
    // A late generator also takes its seconds late, so that each is longer than one.
    if (isSlow(second)) this.#total.lateSeconds += second.at - this.#at;
    this.#at = second.at;
    return second;
  }

  /** No more requests. */
  close(): void {
    this.#end = performance.now();
  }

  /** Of all seconds that were taken. */
  summary(visitors: TrafficSummary['visitors']): TrafficSummary {
    const byKind = KINDS.map((kind) => [kind, { ...this.#byKind[kind], latency: this.#byKind[kind].latency.latency }]);
    return {
      ...this.#total,
      seconds: this.#elapsed(),
      failures: Object.fromEntries(this.#failures),
      latency: this.#all.latency,
      byKind: Object.fromEntries(byKind),
      failureLatency: this.#ofFailures.latency,
      visitors,
    };
  }

  #of(server: string): RecentLatencies {
    const known = this.#servers.get(server);
    if (known) return known;
    const latencies = new RecentLatencies(RECENT);
    this.#servers.set(server, latencies);
    return latencies;
  }

  /** One that has not answered for so long may be gone. */
  #takeServers(): Second['servers'] {
    const seconds: Record<string, Latency> = {};
    for (const [server, latencies] of this.#servers) {
      const latency = latencies.takeSecond();
      if (latency) seconds[server] = latency;
      else this.#servers.delete(server);
    }
    return seconds;
  }

  #fail(failure: string): void {
    this.#failures.set(failure, (this.#failures.get(failure) ?? 0) + 1);
  }

  #elapsed(): number {
    return ((this.#end ?? performance.now()) - this.#start) / 1000;
  }
}

function freshSecond() {
  return { due: 0, reloads: 0, counts: noCounts(), inTime: 0, sources: noSources(), inFlight: 0 };
}

interface ProcessorTimes {
  readonly idle: number;
  readonly all: number;
}

/** 1 where the system does not report times. */
function idleShare(before: ProcessorTimes, after: ProcessorTimes): number {
  const all = after.all - before.all;
  return all > 0 ? (after.idle - before.idle) / all : 1;
}

/** Milliseconds of all processors since the start of the system. */
function processorTimes(): ProcessorTimes {
  const times = cpus().map((one) => one.times);
  const sum = (of: (one: (typeof times)[number]) => number) => times.reduce((total, one) => total + of(one), 0);
  return { idle: sum(({ idle }) => idle), all: sum((one) => one.user + one.nice + one.sys + one.idle + one.irq) };
}

function noCounts() {
  return { ok: 0, refused: 0, failed: 0, wrong: 0 };
}

function noSources() {
  return { edge: 0, cache: 0, database: 0 };
}
