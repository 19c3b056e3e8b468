import { existsSync, readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { UsageError } from '../../support/usage-error';
import type { Point, Watched, Window } from './advice';
import { type Limits, type Wall, walls } from './walls';

const DAY = 86_400;

/** How metrics are named in a file: a wall's id, `.limit` for its limit, and `@name` where there are several of a kind. */
const METRIC = /^([a-z]+\.[a-z-]+?)(\.limit)?(?:@(.+))?$/;

export interface RecordedMetrics {
  readonly watched: readonly Watched[];
  readonly window: Window;
}

/**
 * Reads recorded metrics: a CSV with a head that names `time` (ISO 8601, or Unix seconds), `metric` and `value`. The window is
 * that of the file, and ends a day after the start of its newest point at most.
 *
 * @param limits by tier, for thresholds that hang on the size of a database or cache
 * @throws UsageError that names the line
 */
export function readRecorded(file: string, limits: Partial<Record<Wall['tier'], Limits>>): RecordedMetrics {
  if (!existsSync(file))
    throw new UsageError(`--from ${file}: there is no such file; allowed is CSV with time,metric,value`);
  const series = new Map<string, Point[]>();
  rowsOf(file).forEach((row, index) => {
    const line = `line ${index + 2} of ${file}`;
    const at = unixSeconds(row.time);
    const value = Number(row.value);
    const [, id = ''] = METRIC.exec(row.metric ?? '') ?? [];
    if (at === undefined) throw new UsageError(`time "${row.time}" in ${line}: allowed is ISO 8601 or Unix seconds`);
    if (!walls.some((wall) => wall.id === id)) {
      const known = walls.map((wall) => wall.id).join(', ');
      throw new UsageError(`metric "${row.metric}" in ${line}: allowed is ${known}, and any of them with @name`);
    }
    if (!row.value || !Number.isFinite(value))
      throw new UsageError(`value "${row.value}" in ${line}: allowed is a number`);
    const points = series.get(row.metric as string);
    if (points) points.push({ at, value });
    else series.set(row.metric as string, [{ at, value }]);
  });
  const all = [...series.values()].flat();
  if (all.length === 0) throw new UsageError(`--from ${file}: it has no lines below its head time,metric,value`);
  for (const points of series.values()) points.sort((a, b) => a.at - b.at);
  return { watched: watchedIn(series, limits), window: windowOf([...series.values()]) };
}

function rowsOf(file: string): Record<string, string>[] {
  try {
    return parse(readFileSync(file, 'utf8'), { columns: true, skip_empty_lines: true, trim: true, bom: true });
  } catch (error) {
    throw new UsageError(`--from ${file}: not CSV: ${(error as Error).message}`);
  }
}

/** Every wall is watched: at each resource that the file has of it, or at one without data. */
function watchedIn(series: ReadonlyMap<string, Point[]>, limits: Partial<Record<Wall['tier'], Limits>>): Watched[] {
  const tiers = new Set([...series.keys()].map((metric) => metric.split('.')[0]));
  return walls
    .filter(({ tier }) => tiers.has(tier))
    .flatMap((wall): Watched[] => {
      const names = [...series.keys()]
        .map((metric) => METRIC.exec(metric) as RegExpExecArray)
        .filter(([, id, limit]) => id === wall.id && !limit)
        .map(([, , , name]) => name);
      // CloudWatch has nothing where nothing happened; a file may just not have been asked for it.
      if (names.length === 0 && wall.missingIsZero) return [];
      return (names.length > 0 ? names : [undefined]).map((name) => {
        const at = name === undefined ? '' : `@${name}`;
        return {
          wall,
          resource: name ?? wall.tier,
          limits: limits[wall.tier] ?? {},
          points: series.get(`${wall.id}${at}`) ?? [],
          limitPoints: series.get(`${wall.id}.limit${at}`),
        };
      });
    });
}

/** The time that the points cover, and the usual distance between two of them. */
function windowOf(series: readonly (readonly Point[])[]): Window {
  const times = series.flat().map(({ at }) => at);
  const gaps = series
    .flatMap((points) => points.slice(1).map(({ at }, i) => at - (points[i] as Point).at))
    .filter((gap) => gap > 0)
    .sort((a, b) => a - b);
  const period = Math.min(gaps[Math.floor(gaps.length / 2)] ?? 300, DAY);
  const start = times.reduce((least, at) => Math.min(least, at));
  const end = times.reduce((most, at) => Math.max(most, at));
  return { start, end: end + period, period };
}

function unixSeconds(text: string | undefined): number | undefined {
  if (!text) return undefined;
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Date.parse(text) / 1000;
  return Number.isFinite(seconds) ? seconds : undefined;
}
