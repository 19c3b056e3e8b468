const HOUR = 3600;
const DAY = 24;
const WEEK = 7 * DAY;
/** Predictive scaling looks this far back. */
const HISTORY = 14 * DAY;

/**
 * What stands in for the model of predictive scaling, which AWS does not document: the load of the same hour a week ago, or a
 * day ago while there is no week yet. Like the real one it says nothing before it has seen 24 hours.
 */
export class SeasonalNaive {
  private readonly hours = new Map<number, { sum: number; count: number }>();
  private newest = Number.NEGATIVE_INFINITY;

  /** @param load of the whole group, in the metric's unit x instances; @param at Unix seconds */
  record(load: number, at: number): void {
    const hour = Math.floor(at / HOUR);
    if (hour !== this.newest) {
      this.hours.delete(hour - HISTORY);
      this.hours.set(hour, { sum: 0, count: 0 });
      this.newest = hour;
    }
    const seen = this.hours.get(hour);
    if (!seen) return;
    seen.sum += load;
    seen.count += 1;
  }

  /** The mean load that the hour of this moment will have, in Unix seconds; `undefined` while too little was seen. */
  loadAt(at: number): number | undefined {
    const hour = Math.floor(at / HOUR);
    const seen = this.hours.get(hour - WEEK) ?? this.hours.get(hour - DAY);
    return seen && seen.count > 0 ? seen.sum / seen.count : undefined;
  }
}
