import { existsSync, readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { UsageError } from '../../support/usage-error';
import type { Point, Watched, Window } from './advice';
import { type Limit, limits, type ResourceSpec } from './limits';

const DAY = 86_400;

/** Metric name in a file: id of a limit, `.limit` for its threshold, and `@name` for one of several resources. */
const METRIC = /^([a-z]+\.[a-z-]+?)(\.limit)?(?:@(.+))?$/;

export interface RecordedMetrics {
  readonly watched: readonly Watched[];
  readonly window: Window;
}

/**
 * Reads recorded metrics: a CSV file with the columns `time` (ISO 8601 or Unix seconds), `metric` and `value`. The window
 * covers all data points, and ends at most a day after the start of the newest.
 *
 * @param specs by tier, for thresholds that depend on the size of a database or cache
 * @throws UsageError with the line
 */
export function readRecorded(file: string, specs: Partial<Record<Limit['tier'], ResourceSpec>>): RecordedMetrics {
  if (!existsSync(file))
    throw new UsageError(`--from must be an existing CSV file with time,metric,value, got ${file}.`);
  const series = new Map<string, Point[]>();
  rowsOf(file).forEach((row, index) => {
    const line = `line ${index + 2} of ${file}`;
    const at = unixSeconds(row.time);
    const value = Number(row.value);
    const [, id = ''] = METRIC.exec(row.metric ?? '') ?? [];
    if (at === undefined) throw new UsageError(`time must be ISO 8601 or Unix seconds, got "${row.time}" in ${line}.`);
    if (!limits.some((limit) => limit.id === id)) {
      const known = limits.map((limit) => limit.id).join(', ');
      throw new UsageError(`metric must be ${known}, or any of them with @name, got "${row.metric}" in ${line}.`);
    }
    if (!row.value || !Number.isFinite(value))
      throw new UsageError(`value must be a number, got "${row.value}" in ${line}.`);
    const points = series.get(row.metric as string);
    if (points) points.push({ at, value });
    else series.set(row.metric as string, [{ at, value }]);
  });
  const all = [...series.values()].flat();
  if (all.length === 0)
    throw new UsageError(`--from must be a CSV file with lines below the header time,metric,value, got ${file}.`);
  for (const points of series.values()) points.sort((a, b) => a.at - b.at);
  return { watched: watchedIn(series, specs), window: windowOf([...series.values()]) };
}

function rowsOf(file: string): Record<string, string>[] {
  try {
    return parse(readFileSync(file, 'utf8'), { columns: true, skip_empty_lines: true, trim: true, bom: true });
  } catch (error) {
    throw new UsageError(`--from must be a CSV file, got ${file}: ${(error as Error).message}`);
  }
}

/** Lists all limits of the recorded tiers: at each recorded resource, or at one without data. */
function watchedIn(
  series: ReadonlyMap<string, Point[]>,
  specs: Partial<Record<Limit['tier'], ResourceSpec>>,
): Watched[] {
  const tiers = new Set([...series.keys()].map((metric) => metric.split('.')[0]));
  return limits
    .filter(({ tier }) => tiers.has(tier))
    .flatMap((limit): Watched[] => {
      const names = [...series.keys()]
        .map((metric) => METRIC.exec(metric) as RegExpExecArray)
        .filter(([, id, isThreshold]) => id === limit.id && !isThreshold)
        .map(([, , , name]) => name);
      // In a file, unlike in CloudWatch, a missing metric does not mean zero.
      if (names.length === 0 && limit.missingIsZero) return [];
      return (names.length > 0 ? names : [undefined]).map((name) => {
        const at = name === undefined ? '' : `@${name}`;
        return {
          limit,
          resource: name ?? limit.tier,
          spec: specs[limit.tier] ?? {},
          points: series.get(`${limit.id}${at}`) ?? [],
          limitPoints: series.get(`${limit.id}.limit${at}`),
        };
      });
    });
}

/** Time range of the data points, and their median distance as the period. */
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
