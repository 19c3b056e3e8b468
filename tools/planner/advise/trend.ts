/** A straight line through daily figures, and how sure it is. */
export interface Trend {
  /** Change a day. */
  readonly slope: number;
  readonly days: number;
  /** Whether the change is more than chance, at 95%. */
  readonly significant: boolean;
  /** The line at a day, and the bounds that hold it with 95%. */
  at(day: number): { readonly line: number; readonly low: number; readonly high: number };
}

/** Fewer days say nothing about a week. */
export const MIN_DAYS = 7;

/**
 * Least squares through `values`, by day; `undefined` for fewer than {@link MIN_DAYS}. The bounds are those of the line
 * itself, not of a single day, and take the days for independent of each other.
 */
export function trendOf(points: readonly { readonly day: number; readonly value: number }[]): Trend | undefined {
  const n = points.length;
  if (n < MIN_DAYS) return undefined;
  const mean = (pick: (point: { day: number; value: number }) => number) =>
    points.reduce((sum, point) => sum + pick(point), 0) / n;
  const meanDay = mean(({ day }) => day);
  const meanValue = mean(({ value }) => value);
  const spread = points.reduce((sum, { day }) => sum + (day - meanDay) ** 2, 0);
  const slope = points.reduce((sum, { day, value }) => sum + (day - meanDay) * (value - meanValue), 0) / spread;
  const line = (day: number) => meanValue + slope * (day - meanDay);
  const residual = points.reduce((sum, { day, value }) => sum + (value - line(day)) ** 2, 0);
  const deviation = Math.sqrt(residual / (n - 2));
  const t = studentT(n - 2);
  return {
    slope,
    days: n,
    significant: Math.abs(slope) > (t * deviation) / Math.sqrt(spread) + Number.EPSILON * Math.abs(meanValue),
    at(day) {
      const half = t * deviation * Math.sqrt(1 / n + (day - meanDay) ** 2 / spread);
      return { line: line(day), low: line(day) - half, high: line(day) + half };
    },
  };
}

/**
 * The 97.5% point of Student's t, good to a hundredth from 5 degrees of freedom on.
 *
 * @see https://en.wikipedia.org/wiki/Cornish%E2%80%93Fisher_expansion
 */
export function studentT(freedom: number): number {
  const z = 1.959964;
  return (
    z +
    (z ** 3 + z) / (4 * freedom) +
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * freedom ** 2) +
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * freedom ** 3)
  );
}

/** Days from `from` on until the line and its bounds reach a threshold; `undefined` beyond the horizon. */
export interface Crossing {
  readonly expected: number | undefined;
  readonly earliest: number | undefined;
  readonly latest: number | undefined;
}

export function crossing(trend: Trend, threshold: number, from: number, horizon: number): Crossing {
  const rising = trend.slope > 0;
  const first = (reaches: (at: ReturnType<Trend['at']>) => boolean) => {
    for (let day = 0; day <= horizon; day += 1) if (reaches(trend.at(from + day))) return day;
    return undefined;
  };
  const beyond = (value: number) => (rising ? value >= threshold : value <= threshold);
  return {
    expected: first(({ line }) => beyond(line)),
    earliest: first(({ low, high }) => beyond(rising ? high : low)),
    latest: first(({ low, high }) => beyond(rising ? low : high)),
  };
}
