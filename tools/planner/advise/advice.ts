import { type Limit, type PhaseNumber, type Remedy, type ResourceSpec, TIERS } from './limits';
import { type Crossing, crossing, MIN_DAYS, type Trend, trendOf } from './trend';

export interface Point {
  /** Unix seconds. */
  readonly at: number;
  readonly value: number;
}

/** A limit at one resource, with its metric data. */
export interface Watched {
  readonly limit: Limit;
  /** Name of the resource, such as `shop-database`. */
  readonly resource: string;
  readonly spec: ResourceSpec;
  /** In chronological order; empty without data. */
  readonly points: readonly Point[];
  /** Data of the limit's `limitMetric`. */
  readonly limitPoints?: readonly Point[];
}

export interface Window {
  /** Unix seconds. */
  readonly start: number;
  readonly end: number;
  /** Period of a data point, in seconds. */
  readonly period: number;
}

export type State = 'full' | 'filling' | 'fine' | 'no data' | 'no limit';

/** State of one limit. */
export interface LimitStatus {
  readonly limit: Limit;
  readonly resource: string;
  readonly state: State;
  readonly threshold: number | undefined;
  /** Worst value of the last day that was sustained for `limit.sustainedMinutes`. */
  readonly peak: number | undefined;
  /** Share of the last day beyond the threshold. */
  readonly share: number;
  readonly trend: Trend | undefined;
  /** Forecast in days from the end of the window; only for a significant trend towards the threshold. */
  readonly crossing: Crossing | undefined;
  readonly remedy: Remedy;
}

export interface Advice {
  readonly verdict: 'act' | 'prepare' | 'stay' | 'unknown';
  /** The limit that is reached now or next: the first relevant one of `statuses`. */
  readonly next: LimitStatus | undefined;
  /** Failures that are not capacity spec. */
  readonly symptoms: readonly LimitStatus[];
  /** Most urgent first. */
  readonly statuses: readonly LimitStatus[];
  /** Limits without data or threshold, one line each. */
  readonly unknown: readonly string[];
  /** Checks that were skipped, one line each with the reason. */
  readonly notJudged: readonly string[];
}

/** Extrapolation limit of a trend, in days. */
export const HORIZON = 180;

const DAY = 86_400;

/** Finds the next limit from metric data. */
export function advise(watched: readonly Watched[], phase: PhaseNumber, window: Window): Advice {
  const statuses = watched
    .filter(({ limit, spec }) => (limit.phases?.includes(phase) ?? true) && (limit.isFor?.(spec) ?? true))
    .map((one) => examine(one, phase, window))
    .sort(byUrgency);
  const unknown = statuses
    .filter(({ limit, state }) => !limit.optional && (state === 'no data' || state === 'no limit'))
    .map(
      ({ limit, resource, state }) =>
        `${limit.what} (${resource}): ${state === 'no data' ? 'no data' : 'limit unknown'}`,
    );
  const notJudged = statuses.flatMap(({ limit, resource, state }) =>
    limit.notJudged?.when === state ? [`${limit.what} (${resource}): ${limit.notJudged.because}`] : [],
  );
  const relevant = statuses.filter(({ limit, state }) => !limit.symptom && (state === 'full' || state === 'filling'));
  const [next] = relevant;
  const hasData = statuses.some(
    ({ limit, state }) => !limit.missingIsZero && (state === 'fine' || state === 'filling' || state === 'full'),
  );
  const verdict = next ? (next.state === 'full' ? 'act' : 'prepare') : hasData ? 'stay' : 'unknown';
  const symptoms = statuses.filter(({ limit, state }) => limit.symptom && state === 'full');
  return { verdict, next, symptoms, statuses, unknown, notJudged };
}

function examine(one: Watched, phase: PhaseNumber, window: Window): LimitStatus {
  const { limit, resource, spec } = one;
  const threshold = limit.limitMetric ? one.limitPoints?.at(-1)?.value : limit.threshold?.(spec);
  const points = one.points.length === 0 && limit.missingIsZero ? [{ at: window.end - 1, value: 0 }] : one.points;
  const remedy = limit.remedy(phase);
  const nothing = {
    limit,
    resource,
    threshold,
    share: 0,
    peak: undefined,
    trend: undefined,
    crossing: undefined,
    remedy,
  };
  // Data older than a day does not describe the current state.
  const lastDay = points.filter(({ at }) => at >= window.end - DAY);
  if (lastDay.length === 0) return { ...nothing, state: 'no data' };
  if (threshold === undefined) return { ...nothing, state: 'no limit' };

  const run = Math.max(1, Math.ceil((limit.sustainedMinutes * 60) / window.period));
  const peak = sustainedPeak(lastDay, run, limit.side) as number;
  const share = lastDay.filter(({ value }) => isBeyond(value, threshold, limit.side)).length / lastDay.length;
  const found = { ...nothing, peak, share };
  if (isBeyond(peak, threshold, limit.side)) return { ...found, state: 'full' };
  if (limit.symptom) return { ...found, state: 'fine' };

  const trend = trendOf(dailyPeaks(points, run, limit.side, window));
  const leadsThere = trend?.significant && (limit.side === 'below' ? trend.slope < 0 : trend.slope > 0);
  const reached = trend && leadsThere ? crossing(trend, threshold, lastDayNumber(window), HORIZON) : undefined;
  const state = reached?.expected === undefined ? 'fine' : 'filling';
  return { ...found, trend, crossing: state === 'filling' ? reached : undefined, state };
}

/** Worst value that was sustained for `run` consecutive points. */
export function sustainedPeak(points: readonly Point[], run: number, side: Limit['side']): number | undefined {
  const [worst, mildest] = side === 'below' ? [Math.min, Math.max] : [Math.max, Math.min];
  const length = Math.min(run, points.length);
  let peak: number | undefined;
  for (let i = 0; i + length <= points.length; i += 1) {
    const held = mildest(...points.slice(i, i + length).map(({ value }) => value));
    peak = peak === undefined ? held : worst(peak, held);
  }
  return peak;
}

/** Daily peaks, for days counted back from the end of the window. Day 0 is its first day. */
function dailyPeaks(points: readonly Point[], run: number, side: Limit['side'], window: Window) {
  const days = new Map<number, Point[]>();
  for (const point of points) {
    const day = lastDayNumber(window) - Math.floor((window.end - 1 - point.at) / DAY);
    const some = days.get(day);
    if (some) some.push(point);
    else if (day >= 0) days.set(day, [point]);
  }
  return [...days].map(([day, some]) => ({ day, value: sustainedPeak(some, run, side) as number }));
}

function lastDayNumber({ start, end }: Window): number {
  return Math.max(0, Math.ceil((end - start) / DAY) - 1);
}

export function isBeyond(value: number, threshold: number, side: Limit['side']): boolean {
  if (side === 'above') return value > threshold;
  return side === 'below' ? value < threshold : value >= threshold;
}

const ORDER: readonly State[] = ['full', 'filling', 'fine', 'no limit', 'no data'];

/** Sorts limits before symptoms, by state, by forecast, by time beyond the threshold, then by tier. */
function byUrgency(a: LimitStatus, b: LimitStatus): number {
  return (
    Number(a.limit.symptom ?? false) - Number(b.limit.symptom ?? false) ||
    ORDER.indexOf(a.state) - ORDER.indexOf(b.state) ||
    (a.crossing?.expected ?? 0) - (b.crossing?.expected ?? 0) ||
    b.share - a.share ||
    TIERS.indexOf(a.limit.tier) - TIERS.indexOf(b.limit.tier)
  );
}

/** Explains why a limit has no forecast date. */
export function trendText({ trend, state, limit }: LimitStatus): string {
  if (state !== 'fine' || limit.symptom) return '';
  if (!trend) return `fewer than ${MIN_DAYS} days of data`;
  return trend.significant ? '' : 'no significant trend';
}
