/**
 * Who still warms up. The clock of an instance starts when it comes into service, and its length is that of the policy that
 * asked for it.
 */
export class Warmups {
  /** Asked for and not in service yet, oldest first. */
  private expected: { count: number; warmup: number | undefined }[] = [];
  private running: { count: number; until: number }[] = [];
  warming = 0;

  constructor(private readonly defaultWarmup: number) {}

  /** Whether instances that were asked for are not warm yet: then no policy takes any away. */
  get inProgress(): boolean {
    return this.warming > 0 || this.expected.length > 0;
  }

  /** @param change of the desired capacity; what is no longer wanted is what was asked for last */
  changeDesired(change: number, warmup: number | undefined): void {
    if (change > 0) {
      this.expected.push({ count: change, warmup });
      return;
    }
    for (let left = -change; left > 0 && this.expected.length > 0; ) {
      const newest = this.expected[this.expected.length - 1] as { count: number };
      const gone = Math.min(left, newest.count);
      newest.count -= gone;
      left -= gone;
      if (newest.count === 0) this.expected.pop();
    }
  }

  /** Takes what happened between two moments. An instance that arrives and that nobody asked for replaces another. */
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
    // A group that is complete waits for nobody, whatever became of those that were asked for.
    if (inService >= desired && this.expected.length > 0) this.expected = [];
    while (this.running.length > 0 && (this.running[0] as { until: number }).until <= now) {
      this.warming -= (this.running.shift() as { count: number }).count;
    }
    for (let gone = this.warming - inService; gone > 0; ) {
      const oldest = this.running[0] as { count: number };
      const count = Math.min(gone, oldest.count);
      oldest.count -= count;
      this.warming -= count;
      gone -= count;
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
