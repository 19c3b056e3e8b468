import { type Crossing, crossing, MIN_DAYS, type Trend, trendOf } from './trend';
import { type Limits, type PhaseNumber, type Remedy, TIERS, type Wall } from './walls';

export interface Point {
  /** Unix seconds. */
  readonly at: number;
  readonly value: number;
}

/** A wall at one resource, with what its metric said. */
export interface Watched {
  readonly wall: Wall;
  /** What it was measured at: `shop-database`. */
  readonly resource: string;
  readonly limits: Limits;
  /** Rising in time; empty where there is no data. */
  readonly points: readonly Point[];
  /** Of the wall's `limitMetric`. */
  readonly limitPoints?: readonly Point[];
}

export interface Window {
  /** Unix seconds. */
  readonly start: number;
  readonly end: number;
  /** Of a point, in seconds. */
  readonly period: number;
}

export type State = 'full' | 'filling' | 'fine' | 'no data' | 'no limit';

/** How full one wall is. */
export interface WallStatus {
  readonly wall: Wall;
  readonly resource: string;
  readonly state: State;
  readonly threshold: number | undefined;
  /** The worst of the last day that lasted long enough. */
  readonly peak: number | undefined;
  /** Share of the last day that was beyond the threshold. */
  readonly share: number;
  readonly trend: Trend | undefined;
  /** In days from the end of the window; only where the trend is significant and leads there. */
  readonly crossing: Crossing | undefined;
  readonly remedy: Remedy;
}

export interface Advice {
  readonly verdict: 'act' | 'prepare' | 'stay' | 'unknown';
  /** What is or will be full next; the first of `statuses` that counts. */
  readonly wall: WallStatus | undefined;
  /** Something is wrong that is no wall. */
  readonly symptoms: readonly WallStatus[];
  /** Worst first. */
  readonly statuses: readonly WallStatus[];
  /** What cannot be told, one line each. */
  readonly unknown: readonly string[];
  /** What is left out on purpose, one line each with the reason. */
  readonly notJudged: readonly string[];
}

/** A trend is followed this far, in days: further, nothing stays a straight line. */
export const HORIZON = 180;

const DAY = 86_400;

/** Names the next wall from what the metrics say. */
export function advise(watched: readonly Watched[], phase: PhaseNumber, window: Window): Advice {
  const statuses = watched
    .filter(({ wall, limits }) => (wall.phases?.includes(phase) ?? true) && (wall.isFor?.(limits) ?? true))
    .map((one) => examine(one, phase, window))
    .sort(byUrgency);
  const unknown = statuses
    .filter(({ wall, state }) => !wall.optional && (state === 'no data' || state === 'no limit'))
    .map(
      ({ wall, resource, state }) =>
        `${wall.what} (${resource}): ${state === 'no data' ? 'no data' : 'its limit is not known'}`,
    );
  const notJudged = statuses.flatMap(({ wall, resource, state }) =>
    wall.notJudged?.when === state ? [`${wall.what} (${resource}): ${wall.notJudged.because}`] : [],
  );
  const counted = statuses.filter(({ wall, state }) => !wall.symptom && (state === 'full' || state === 'filling'));
  const [wall] = counted;
  const told = statuses.some(
    ({ wall, state }) => !wall.missingIsZero && (state === 'fine' || state === 'filling' || state === 'full'),
  );
  const verdict = wall ? (wall.state === 'full' ? 'act' : 'prepare') : told ? 'stay' : 'unknown';
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
  // Data of last week says nothing about today.
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

/** The worst value that held for so many points in a row. */
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

/** Peaks of whole days, counted back from the end of the window; day 0 is its first. */
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

/** Walls before symptoms; full before filling; what was full longer first; of equals, what the others wait for. */
function byUrgency(a: WallStatus, b: WallStatus): number {
  return (
    Number(a.wall.symptom ?? false) - Number(b.wall.symptom ?? false) ||
    ORDER.indexOf(a.state) - ORDER.indexOf(b.state) ||
    (a.crossing?.expected ?? 0) - (b.crossing?.expected ?? 0) ||
    b.share - a.share ||
    TIERS.indexOf(a.wall.tier) - TIERS.indexOf(b.wall.tier)
  );
}

/** Why there is no date, in words, for a wall that is not full. */
export function trendText({ trend, state, wall }: WallStatus): string {
  if (state !== 'fine' || wall.symptom) return '';
  if (!trend) return `fewer than ${MIN_DAYS} days`;
  return trend.significant ? '' : 'no significant trend';
}
