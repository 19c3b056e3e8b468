import { type Crossing, crossing, MIN_DAYS, type Trend, trendOf } from './trend';
import { type Limits, type PhaseNumber, type Remedy, TIERS, type Wall } from './walls';

export interface Point {
  /** Unix seconds. */
  readonly at: number;
  readonly value: number;
}

/** A wall at one resource, with its metric data. */
export interface Watched {
  readonly wall: Wall;
  /** Name of the resource, such as `shop-database`. */
  readonly resource: string;
  readonly limits: Limits;
  /** In chronological order; empty without data. */
  readonly points: readonly Point[];
  /** Data of the wall's `limitMetric`. */
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

/** State of one wall. */
export interface WallStatus {
  readonly wall: Wall;
  readonly resource: string;
  readonly state: State;
  readonly threshold: number | undefined;
  /** Worst value of the last day that was sustained for `wall.lasting`. */
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
  /** The wall that is reached now or next: the first relevant one of `statuses`. */
  readonly wall: WallStatus | undefined;
  /** Failures that are not capacity limits. */
  readonly symptoms: readonly WallStatus[];
  /** Most urgent first. */
  readonly statuses: readonly WallStatus[];
  /** Walls without data or limit, one line each. */
  readonly unknown: readonly string[];
  /** Checks that were skipped, one line each with the reason. */
  readonly notJudged: readonly string[];
}

/** Extrapolation limit of a trend, in days. */
export const HORIZON = 180;

const DAY = 86_400;

/** Finds the next wall from metric data. */
export function advise(watched: readonly Watched[], phase: PhaseNumber, window: Window): Advice {
  const statuses = watched
    .filter(({ wall, limits }) => (wall.phases?.includes(phase) ?? true) && (wall.isFor?.(limits) ?? true))
    .map((one) => examine(one, phase, window))
    .sort(byUrgency);
  const unknown = statuses
    .filter(({ wall, state }) => !wall.optional && (state === 'no data' || state === 'no limit'))
    .map(
      ({ wall, resource, state }) => `${wall.what} (${resource}): ${state === 'no data' ? 'no data' : 'limit unknown'}`,
    );
  const notJudged = statuses.flatMap(({ wall, resource, state }) =>
    wall.notJudged?.when === state ? [`${wall.what} (${resource}): ${wall.notJudged.because}`] : [],
  );
  const relevant = statuses.filter(({ wall, state }) => !wall.symptom && (state === 'full' || state === 'filling'));
  const [wall] = relevant;
  const hasData = statuses.some(
    ({ wall, state }) => !wall.missingIsZero && (state === 'fine' || state === 'filling' || state === 'full'),
  );
  const verdict = wall ? (wall.state === 'full' ? 'act' : 'prepare') : hasData ? 'stay' : 'unknown';
  const symptoms = statuses.filter(({ wall, state }) => wall.symptom && state === 'full');
  return { verdict, wall, symptoms, statuses, unknown, notJudged };
}

function examine(one: Watched, phase: PhaseNumber, window: Window): WallStatus {
  const { wall, resource, limits } = one;
  const threshold = wall.limitMetric ? one.limitPoints?.at(-1)?.value : wall.threshold?.(limits);
  const points = one.points.length === 0 && wall.missingIsZero ? [{ at: window.end - 1, value: 0 }] : one.points;
  const remedy = wall.remedy(phase);
  const nothing = {
    wall,
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

  const run = Math.max(1, Math.ceil((wall.lasting * 60) / window.period));
  const peak = sustainedPeak(lastDay, run, wall.side) as number;
  const share = lastDay.filter(({ value }) => isBeyond(value, threshold, wall.side)).length / lastDay.length;
  const found = { ...nothing, peak, share };
  if (isBeyond(peak, threshold, wall.side)) return { ...found, state: 'full' };
  if (wall.symptom) return { ...found, state: 'fine' };

  const trend = trendOf(dailyPeaks(points, run, wall.side, window));
  const leadsThere = trend?.significant && (wall.side === 'below' ? trend.slope < 0 : trend.slope > 0);
  const reached = trend && leadsThere ? crossing(trend, threshold, lastDayNumber(window), HORIZON) : undefined;
  const state = reached?.expected === undefined ? 'fine' : 'filling';
  return { ...found, trend, crossing: state === 'filling' ? reached : undefined, state };
}

/** Worst value that was sustained for `run` consecutive points. */
export function sustainedPeak(points: readonly Point[], run: number, side: Wall['side']): number | undefined {
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
function dailyPeaks(points: readonly Point[], run: number, side: Wall['side'], window: Window) {
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

export function isBeyond(value: number, threshold: number, side: Wall['side']): boolean {
  if (side === 'above') return value > threshold;
  return side === 'below' ? value < threshold : value >= threshold;
}

const ORDER: readonly State[] = ['full', 'filling', 'fine', 'no limit', 'no data'];

/** Sorts walls before symptoms, by state, by forecast, by time beyond the threshold, then by tier. */
function byUrgency(a: WallStatus, b: WallStatus): number {
  return (
    Number(a.wall.symptom ?? false) - Number(b.wall.symptom ?? false) ||
    ORDER.indexOf(a.state) - ORDER.indexOf(b.state) ||
    (a.crossing?.expected ?? 0) - (b.crossing?.expected ?? 0) ||
    b.share - a.share ||
    TIERS.indexOf(a.wall.tier) - TIERS.indexOf(b.wall.tier)
  );
}

/** Explains why a wall has no forecast date. */
export function trendText({ trend, state, wall }: WallStatus): string {
  if (state !== 'fine' || wall.symptom) return '';
  if (!trend) return `fewer than ${MIN_DAYS} days of data`;
  return trend.significant ? '' : 'no significant trend';
}
