/**
 * Tracks warming instances. The warm-up of an instance starts when it enters service, and has the length set by the
 * policy that launched it.
 */
export class Warmups {
  /** Requested and not yet in service, oldest first. */
  private expected: { count: number; warmup: number | undefined }[] = [];
  private running: { count: number; until: number }[] = [];
  warming = 0;

  constructor(private readonly defaultWarmup: number) {}

  /** Whether requested instances are not warm yet. No policy scales in meanwhile. */
  get inProgress(): boolean {
    return this.warming > 0 || this.expected.length > 0;
  }

  /** @param change of the desired capacity; a decrease cancels the newest requests first */
  changeDesired(change: number, warmup: number | undefined): void {
    if (change > 0) {
      this.expected.push({ count: change, warmup });
      return;
    }
    for (let left = -change; left > 0 && this.expected.length > 0; ) {
      const newest = this.expected[this.expected.length - 1] as { count: number };
      const removed = Math.min(left, newest.count);
      newest.count -= removed;
      left -= removed;
      if (newest.count === 0) this.expected.pop();
    }
  }

  /** Processes an interval. A launched instance that was not requested is a replacement. */
  observe({ from, now, inService, launched, desired }: Interval): void {
    for (let left = launched; left > 0; ) {
      const oldest = this.expected[0];
      const count = Math.min(left, oldest?.count ?? left);
      this.start(count, oldest?.warmup ?? this.defaultWarmup, from);
      left -= count;
      if (!oldest) continue;
      oldest.count -= count;
      if (oldest.count === 0) this.expected.shift();
    }
    // A complete group has no outstanding requests, even if requested instances failed to launch.
    if (inService >= desired && this.expected.length > 0) this.expected = [];
    while (this.running.length > 0 && (this.running[0] as { until: number }).until <= now) {
      this.warming -= (this.running.shift() as { count: number }).count;
    }
    for (let removed = this.warming - inService; removed > 0; ) {
      const oldest = this.running[0] as { count: number };
      const count = Math.min(removed, oldest.count);
      oldest.count -= count;
      this.warming -= count;
      removed -= count;
      if (oldest.count === 0) this.running.shift();
    }
  }

  private start(count: number, warmup: number, from: number): void {
    if (warmup <= 0) return;
    this.running.push({ count, until: from + warmup });
    this.running.sort((a, b) => a.until - b.until);
    this.warming += count;
  }
}

interface Interval {
  /** Unix seconds. */
  readonly from: number;
  readonly now: number;
  readonly inService: number;
  readonly launched: number;
  readonly desired: number;
}
