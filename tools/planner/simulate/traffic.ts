import { existsSync, readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { UsageError } from '../../support/usage-error';
import { randomNumbers } from './random';

/** Requests per minute. */
export interface RequestSeries {
  readonly name: string;
  /** Unix seconds, a multiple of 60. */
  readonly start: number;
  /** Whole requests, one value per minute. */
  readonly requests: Float64Array;
  /** Baseline of the shape in requests/s; undefined for recorded traffic. */
  readonly ordinaryRps?: number;
}

interface Shape {
  /** ISO time of the first minute. */
  readonly start: string;
  readonly days: number;
  /** Multiple of the baseline, by hours since the start. */
  readonly multiplier: (hour: number) => number;
  /** Maximum random deviation of a minute, as a share. */
  readonly noise: number;
  /** Whether it grows far beyond the baseline. The baseline is then derived from the minimum size. */
  readonly surges: boolean;
}

/** A day with the baseline at 17:00, and a fifth of it at 5:00. */
const day = (hour: number) => 0.6 + 0.4 * Math.cos(((hour - 17) / 12) * Math.PI);

/** Built-in traffic shapes. Times are in UTC. */
export const shapes = {
  /** Constant. */
  steady: { start: '2026-01-05', days: 1, multiplier: () => 1, noise: 0, surges: false },
  /** A fifth of the baseline at 5:00, all of it at 17:00. */
  daily: {
    start: '2026-01-05',
    days: 7,
    multiplier: day,
    noise: 0.05,
    surges: false,
  },
  /** 10 times the baseline from 12:00 to 13:00. */
  spike: {
    start: '2026-01-05',
    days: 1,
    multiplier: (hour) => (hour >= 12 && hour < 13 ? 10 : 1),
    noise: 0.05,
    surges: true,
  },
  /** A Thursday, then a Friday that rises to 100 times the baseline within 5 minutes. */
  'black-friday': {
    start: '2026-11-26',
    days: 2,
    multiplier: (hour) =>
      between(hour, [
        [0, 1],
        [24, 1],
        [24 + 1 / 12, 100],
        [25, 100],
        [30, 20],
        [36, 30],
        [44, 60],
        [48, 10],
      ]),
    noise: 0.05,
    surges: true,
  },
} satisfies Readonly<Record<string, Shape>>;

export type ShapeName = keyof typeof shapes;

export function isShape(name: string): name is ShapeName {
  return name in shapes;
}

export interface ShapeOptions {
  /** Baseline, in requests/s. */
  readonly rps: number;
  /** @default the duration of the shape */
  readonly days?: number;
  readonly seed: number;
}

export function shapedTraffic(name: ShapeName, options: ShapeOptions): RequestSeries {
  const { start, multiplier, noise, ...shape }: Shape = shapes[name];
  const days = options.days ?? shape.days;
  const random = randomNumbers(options.seed);
  const requests = new Float64Array(days * 1440);
  for (let minute = 0; minute < requests.length; minute += 1) {
    const deviation = noise === 0 ? 1 : 1 + noise * (2 * random() - 1);
    // A shape repeats.
    const hour = (minute / 60) % (shape.days * 24);
    requests[minute] = Math.round(options.rps * 60 * multiplier(hour) * deviation);
  }
  return { name, start: Date.parse(start) / 1000, requests, ordinaryRps: options.rps };
}

/** Interpolates linearly between points in ascending order. */
function between(x: number, points: readonly (readonly [number, number])[]): number {
  const next = points.findIndex(([at]) => at > x);
  if (next <= 0) return (points.at(next === 0 ? 0 : -1) as [number, number])[1];
  const [x0, y0] = points[next - 1] as [number, number];
  const [x1, y1] = points[next] as [number, number];
  return y0 + ((y1 - y0) * (x - x0)) / (x1 - x0);
}

/** Requests/s by time. Each value applies until the next time. */
export interface RecordedTraffic {
  /** Unix seconds, ascending. */
  readonly times: readonly number[];
  readonly rps: readonly number[];
}

/**
 * Reads recorded or forecast traffic: a CSV file with the columns `time` (ISO 8601 or Unix seconds) and `rps` (requests/s
 * until the next line).
 *
 * @throws UsageError with the line
 */
export function readTraffic(file: string): RecordedTraffic {
  if (!existsSync(file)) throw new UsageError(`Traffic must be an existing CSV file with time,rps, got ${file}.`);
  let rows: Record<string, string>[];
  try {
    rows = parse(readFileSync(file, 'utf8'), { columns: true, skip_empty_lines: true, trim: true, bom: true });
  } catch (error) {
    throw new UsageError(`Traffic must be a CSV file, got ${file}: ${(error as Error).message}`);
  }
  const times: number[] = [];
  const rps: number[] = [];
  rows.forEach((row, index) => {
    const line = `line ${index + 2} of ${file}`;
    const time = unixSeconds(row.time);
    const rate = Number(row.rps);
    if (time === undefined) {
      throw new UsageError(
        `time must be ISO 8601 or Unix seconds, below a header time,rps, got "${row.time}" in ${line}.`,
      );
    }
    if (!row.rps || !(rate >= 0) || !Number.isFinite(rate)) {
      throw new UsageError(`rps must be a number from 0, below a header time,rps, got "${row.rps}" in ${line}.`);
    }
    if (time <= (times.at(-1) ?? Number.NEGATIVE_INFINITY)) {
      throw new UsageError(`time must be later than in the previous line, got "${row.time}" in ${line}.`);
    }
    times.push(time);
    rps.push(rate);
  });
  if (times.length < 2) throw new UsageError(`Traffic must have at least 2 lines, got ${times.length} in ${file}.`);
  return { times, rps };
}

/** Converts recorded traffic to requests per minute. The last line only marks the end. */
export function recordedTraffic(name: string, { times, rps }: RecordedTraffic): RequestSeries {
  const start = Math.floor((times[0] as number) / 60) * 60;
  const minutes = Math.ceil(((times.at(-1) as number) - start) / 60);
  const requests = new Float64Array(minutes);
  let line = 0;
  for (let minute = 0; minute < minutes; minute += 1) {
    while (line + 1 < times.length && (times[line + 1] as number) <= start + minute * 60) line += 1;
    requests[minute] = Math.round((rps[line] as number) * 60);
  }
  return { name, start, requests };
}

/** Requests/s at a time; `undefined` outside the recording. */
export function recordedAt({ times, rps }: RecordedTraffic, at: number): number | undefined {
  const after = times.findIndex((time) => time > at);
  return after <= 0 ? undefined : rps[after - 1];
}

function unixSeconds(text: string | undefined): number | undefined {
  if (!text) return undefined;
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Date.parse(text) / 1000;
  return Number.isFinite(seconds) ? seconds : undefined;
}
