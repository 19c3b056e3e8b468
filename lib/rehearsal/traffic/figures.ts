import { type EventLoopUtilization, performance } from 'node:perf_hooks';
import type { Sent } from './client';
import { LatencyHistogram } from './histogram';
import { KINDS, type Kind, OUTCOMES, type Second, type TrafficSummary } from './messages';

/** From here on the generator is what is slow: milliseconds that requests are sent late, and share of its time it is busy. */
const LATE = 50;
const BUSY = 0.95;

/** Counts and times requests, second by second and as a whole. */
export class Figures {
  /** Acknowledged things that their visitor did not find, so far. */
  missed = 0;
  readonly #all = new LatencyHistogram();
  readonly #failureLatency = new LatencyHistogram();
  readonly #byKind = new Map(KINDS.map((kind) => [kind, { counts: zero(), latency: new LatencyHistogram() }]));
  readonly #second = {
    latency: new LatencyHistogram(),
    late: new LatencyHistogram(),
    counts: zero(),
    due: 0,
    inFlight: 0,
  };
  readonly #total = { counts: zero(), due: 0, unsent: 0, lateSeconds: 0 };
  readonly #failures = new Map<string, number>();
  readonly #start = performance.now();
  #loop: EventLoopUtilization = performance.eventLoopUtilization();
  #end: number | undefined;

  /**
   * @param lateMs after it was due
   * @param inFlight requests that wait for their answer now
   */
  sent(lateMs: number, inFlight: number): void {
    this.#second.due += 1;
    this.#second.inFlight = Math.max(this.#second.inFlight, inFlight);
    this.#second.late.record(lateMs);
  }

  /** It was due, and too many were waiting already. */
  unsent(): void {
    this.#second.due += 1;
    this.#second.counts.failed += 1;
    this.#total.unsent += 1;
    this.#fail('not sent');
  }

  /** @param ms since it was due */
  answered(kind: Kind, { outcome, failure }: Sent, ms: number): void {
    this.#second.counts[outcome] += 1;
    if (failure !== undefined) {
      this.#fail(failure);
      this.#failureLatency.record(ms);
    }
    const ofKind = this.#byKind.get(kind) as { counts: ReturnType<typeof zero>; latency: LatencyHistogram };
    ofKind.counts[outcome] += 1;
    for (const histogram of [this.#all, this.#second.latency, ofKind.latency]) histogram.record(ms);
  }

  /** The second that ends now. */
  takeSecond(): Second {
    const { latency, late, counts, due, inFlight } = this.#second;
    const { utilization } = performance.eventLoopUtilization(this.#loop);
    this.#loop = performance.eventLoopUtilization();
    const second: Second = {
      at: this.#elapsed(),
      due,
      counts: { ...counts },
      latency: latency.latency,
      inFlight,
      missed: this.missed,
      lateMs: late.percentile(99),
      busy: utilization,
    };
    if (second.lateMs > LATE || second.busy > BUSY) this.#total.lateSeconds += 1;
    for (const outcome of OUTCOMES) this.#total.counts[outcome] += counts[outcome];
    this.#total.due += due;
    Object.assign(this.#second, { counts: zero(), due: 0, inFlight: 0 });
    latency.reset();
    late.reset();
    return second;
  }

  /** No more requests. */
  close(): void {
    this.#end = performance.now();
  }

  /** Of all seconds that were taken. */
  summary(visitors: TrafficSummary['visitors']): TrafficSummary {
    const byKind = [...this.#byKind].map(([kind, { counts, latency }]) => [kind, { counts, latency: latency.latency }]);
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

  #fail(failure: string): void {
    this.#failures.set(failure, (this.#failures.get(failure) ?? 0) + 1);
  }

  #elapsed(): number {
    return ((this.#end ?? performance.now()) - this.#start) / 1000;
  }
}

function zero() {
  return { ok: 0, refused: 0, failed: 0, wrong: 0 };
}
