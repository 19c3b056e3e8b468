import { createHistogram } from 'node:perf_hooks';
import type { Latency } from './messages';

/** One minute; requests time out long before. */
const MAX_MICROSECONDS = 60_000_000;

/** HDR histogram of latencies with three significant digits. */
export class LatencyHistogram {
  readonly #histogram = createHistogram({ lowest: 1, highest: MAX_MICROSECONDS, figures: 3 });

  record(ms: number): void {
    this.#histogram.record(Math.min(MAX_MICROSECONDS, Math.max(1, Math.round(ms * 1000))));
  }

  get count(): number {
    return this.#histogram.count;
  }

  /** Milliseconds; 0 while empty. */
  percentile(percent: number): number {
    return this.count === 0 ? 0 : this.#histogram.percentile(percent) / 1000;
  }

  get latency(): Latency {
    const [p50, p95, p99, max] = [50, 95, 99, 100].map((percent) => this.percentile(percent));
    return { p50, p95, p99, max } as Latency;
  }

  /** Merges another histogram into this one. */
  add(other: LatencyHistogram): void {
    this.#histogram.add(other.#histogram);
  }

  reset(): void {
    this.#histogram.reset();
  }
}

/** Sliding window of latencies in whole seconds. */
export class RecentLatencies {
  readonly #seconds: LatencyHistogram[];
  readonly #all = new LatencyHistogram();

  constructor(seconds: number) {
    this.#seconds = Array.from({ length: seconds }, () => new LatencyHistogram());
  }

  record(ms: number): void {
    this.#seconds.at(-1)?.record(ms);
  }

  /** Ends a second. Returns the latency over the window; undefined if the window is empty. */
  takeSecond(): Latency | undefined {
    this.#all.reset();
    for (const second of this.#seconds) this.#all.add(second);
    const oldest = this.#seconds.shift() as LatencyHistogram;
    oldest.reset();
    this.#seconds.push(oldest);
    return this.#all.count === 0 ? undefined : this.#all.latency;
  }
}
