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
  RECENT_SECONDS,
  type Second,
  SOURCES,
  type TrafficSummary,
} from './messages';
import { isSlow } from './punctuality';

/** Counts and times requests, per second and in total. */
export class Figures {
  /** Cart items, orders and logins that the shop confirmed so far, and those of them that visitors found missing. */
  acknowledged = 0;
  missed = 0;
  readonly #start = performance.now();
  #end: number | undefined;
  #loop: EventLoopUtilization = performance.eventLoopUtilization();
  #processors = processorTimes();
  /** End of the previous second. */
  #at = 0;

  #second = emptySecond();
  readonly #latency = new LatencyHistogram();
  readonly #late = new LatencyHistogram();

  readonly #total = { due: 0, reloads: 0, counts: zeroCounts(), sources: zeroSources(), unsent: 0, lateSeconds: 0 };
  readonly #all = new LatencyHistogram();
  readonly #failureLatency = new LatencyHistogram();
  readonly #byKind = Object.fromEntries(
    KINDS.map((kind) => [kind, { counts: zeroCounts(), latency: new LatencyHistogram() }]),
  ) as Record<Kind, { counts: ReturnType<typeof zeroCounts>; latency: LatencyHistogram }>;
  readonly #failures = new Map<string, number>();
  /** By port. */
  readonly #servers = new Map<string, RecentLatencies>();

  /**
   * @param lateMs milliseconds between due time and send time
   * @param inFlight current number of requests in flight
   * @param again whether this is a retry
   */
  sent(lateMs: number, inFlight: number, again: boolean): void {
    this.#second.due += 1;
    if (again) this.#second.reloads += 1;
    this.#second.inFlight = Math.max(this.#second.inFlight, inFlight);
    this.#late.record(lateMs);
  }

  /**
   * Records a request that was dropped because too many are in flight.
   *
   * @param lateMs milliseconds since it was due
   */
  unsent(lateMs: number): void {
    this.#second.due += 1;
    this.#late.record(lateMs);
    this.#second.counts.failed += 1;
    this.#total.unsent += 1;
    this.#fail('not sent');
  }

  /** @param ms milliseconds since it was due */
  answered(kind: Kind, { outcome, failure, source, server }: Sent, ms: number): void {
    const ofKind = this.#byKind[kind];
    for (const { counts } of [this.#second, ofKind]) counts[outcome] += 1;
    if (outcome === 'ok' && ms <= IN_TIME) this.#second.inTime += 1;
    for (const histogram of [this.#all, this.#latency, ofKind.latency]) histogram.record(ms);
    if (source !== undefined) this.#second.sources[source] += 1;
    if (server !== undefined) this.#of(server).record(ms);
    if (failure !== undefined) {
      this.#fail(failure);
      this.#failureLatency.record(ms);
    }
  }

  /** Ends the current second and returns it. */
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
    this.#second = emptySecond();
    this.#latency.reset();
    this.#late.reset();
    this.#total.due += second.due;
    this.#total.reloads += second.reloads;
    for (const outcome of OUTCOMES) this.#total.counts[outcome] += second.counts[outcome];
    for (const source of SOURCES) this.#total.sources[source] += second.sources[source];
    // A late generator also samples late, so a second may take longer than 1 s.
    if (isSlow(second)) this.#total.lateSeconds += second.at - this.#at;
    this.#at = second.at;
    return second;
  }

  /** Stops the clock of the summary. */
  close(): void {
    this.#end = performance.now();
  }

  /** Returns totals over all seconds taken. */
  summary(visitors: TrafficSummary['visitors']): TrafficSummary {
    const byKind = KINDS.map((kind) => [kind, { ...this.#byKind[kind], latency: this.#byKind[kind].latency.latency }]);
    return {
      ...this.#total,
      seconds: this.#elapsed(),
      failures: Object.fromEntries(this.#failures),
      latency: this.#all.latency,
      byKind: Object.fromEntries(byKind),
      failureLatency: this.#failureLatency.latency,
      visitors,
    };
  }

  #of(server: string): RecentLatencies {
    const known = this.#servers.get(server);
    if (known) return known;
    const latencies = new RecentLatencies(RECENT_SECONDS);
    this.#servers.set(server, latencies);
    return latencies;
  }

  /** Also forgets servers without a recent response; they may have terminated. */
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

function emptySecond() {
  return { due: 0, reloads: 0, counts: zeroCounts(), inTime: 0, sources: zeroSources(), inFlight: 0 };
}

interface ProcessorTimes {
  readonly idle: number;
  readonly all: number;
}

/** Idle share of processor time; 1 where the system does not report it. */
function idleShare(before: ProcessorTimes, after: ProcessorTimes): number {
  const all = after.all - before.all;
  return all > 0 ? (after.idle - before.idle) / all : 1;
}

/** Milliseconds of all processors since boot. */
function processorTimes(): ProcessorTimes {
  const times = cpus().map((one) => one.times);
  const sum = (of: (one: (typeof times)[number]) => number) => times.reduce((total, one) => total + of(one), 0);
  return { idle: sum(({ idle }) => idle), all: sum((one) => one.user + one.nice + one.sys + one.idle + one.irq) };
}

function zeroCounts() {
  return { ok: 0, refused: 0, failed: 0, wrong: 0 };
}

function zeroSources() {
  return { edge: 0, cache: 0, database: 0 };
}
