const HOUR = 3600;
const DAY = 24;
const WEEK = 7 * DAY;
/** History that predictive scaling uses. */
const HISTORY = 14 * DAY;

/**
 * Seasonal-naive forecast in place of AWS's undocumented model for predictive scaling: the load of the same hour a week
 * ago, or a day ago during the first week. Like predictive scaling, it needs 24 hours of data.
 */
export class SeasonalNaive {
  private readonly hours = new Map<number, { sum: number; count: number }>();
  private newest = Number.NEGATIVE_INFINITY;

  /** @param load of the whole group: metric x instances. @param at Unix seconds */
  record(load: number, at: number): void {
    const hour = Math.floor(at / HOUR);
    if (hour !== this.newest) {
      this.hours.delete(hour - HISTORY);
      this.hours.set(hour, { sum: 0, count: 0 });
      this.newest = hour;
    }
    const recorded = this.hours.get(hour);
    if (!recorded) return;
    recorded.sum += load;
    recorded.count += 1;
  }

  /** Mean load expected for the hour that contains `at`, in Unix seconds; `undefined` without enough history. */
  loadAt(at: number): number | undefined {
    const hour = Math.floor(at / HOUR);
    const recorded = this.hours.get(hour - WEEK) ?? this.hours.get(hour - DAY);
    return recorded && recorded.count > 0 ? recorded.sum / recorded.count : undefined;
  }
}
