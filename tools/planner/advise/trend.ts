/** A linear fit of daily values with its confidence. */
export interface Trend {
  /** Change per day. */
  readonly slope: number;
  readonly days: number;
  /** Whether the slope is significant at 95%. */
  readonly significant: boolean;
  /** Value and 95% confidence bounds of the line at a day. */
  at(day: number): { readonly line: number; readonly low: number; readonly high: number };
}

/** Minimum for a trend: one week. */
export const MIN_DAYS = 7;

/**
 * Fits a line by least squares; `undefined` for fewer than {@link MIN_DAYS}. The bounds are those of the line, not of a
 * single day, and assume independent days.
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
 * 97.5% quantile of Student's t, accurate to 0.01 from 5 degrees of freedom.
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

/** Days until the line and its bounds reach a threshold; `undefined` beyond the horizon. */
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
