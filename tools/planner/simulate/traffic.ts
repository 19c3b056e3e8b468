import { existsSync, readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { UsageError } from '../../support/usage-error';
import { randomNumbers } from './random';

/** How many requests come, minute by minute. */
export interface RequestSeries {
  readonly name: string;
  /** Unix seconds, on a full minute. */
  readonly start: number;
  /** Whole requests of each minute. */
  readonly requests: Float64Array;
  /** What the shape was scaled to, in requests a second; recorded traffic has none. */
  readonly ordinaryRps?: number;
}

interface Shape {
  /** For `--help`. */
  readonly description: string;
  /** ISO time of its first minute. */
  readonly start: string;
  readonly days: number;
  /** Times the ordinary traffic, by hours since the start. */
  readonly multiplier: (hour: number) => number;
  /** How much a minute differs from that at most, as a share. */
  readonly noise: number;
  /** Whether it grows far beyond the ordinary, so that the ordinary is taken for little. */
  readonly surges: boolean;
}

/** A day whose ordinary traffic is at 17:00, and a fifth of it at 5:00. */
const day = (hour: number) => 0.6 + 0.4 * Math.cos(((hour - 17) / 12) * Math.PI);

/** The shapes of traffic that come with the project. Times are in UTC. */
export const shapes = {
  steady: {
    description: 'the same at all times',
    start: '2026-01-05',
    days: 1,
    multiplier: () => 1,
    noise: 0,
    surges: false,
  },
  daily: {
    description: 'a fifth of it at 5:00, all of it at 17:00',
    start: '2026-01-05',
    days: 7,
    multiplier: day,
    noise: 0.05,
    surges: false,
  },
  spike: {
    description: '10 times as much from one minute to the next at 12:00, for an hour',
    start: '2026-01-05',
    days: 1,
    multiplier: (hour) => (hour >= 12 && hour < 13 ? 10 : 1),
    noise: 0.05,
    surges: true,
  },
  'black-friday': {
    description: 'a Thursday, and a Friday that opens with 100 times as much within 5 minutes',
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
  /** Ordinary traffic, in requests a second. */
  readonly rps: number;
  /** @default the shape's own */
  readonly days?: number;
  readonly seed: number;
}

export function shapedTraffic(name: ShapeName, options: ShapeOptions): RequestSeries {
  const { start, multiplier, noise, ...shape }: Shape = shapes[name];
  const days = options.days ?? shape.days;
  const random = randomNumbers(options.seed);
  const requests = new Float64Array(days * 1440);
  for (let minute = 0; minute < requests.length; minute += 1) {
    const differs = noise === 0 ? 1 : 1 + noise * (2 * random() - 1);
    // A shape that is asked for longer than it is begins anew.
    const hour = (minute / 60) % (shape.days * 24);
    requests[minute] = Math.round(options.rps * 60 * multiplier(hour) * differs);
  }
  return { name, start: Date.parse(start) / 1000, requests, ordinaryRps: options.rps };
}

/** A line from each point to the next; points rise. */
function between(x: number, points: readonly (readonly [number, number])[]): number {
  const next = points.findIndex(([at]) => at > x);
  if (next <= 0) return (points.at(next === 0 ? 0 : -1) as [number, number])[1];
  const [x0, y0] = points[next - 1] as [number, number];
  const [x1, y1] = points[next] as [number, number];
  return y0 + ((y1 - y0) * (x - x0)) / (x1 - x0);
}

/** Requests a second that hold from one moment to the next. */
export interface RecordedTraffic {
  /** Unix seconds, rising. */
  readonly times: readonly number[];
  readonly rps: readonly number[];
}

/**
 * Reads recorded or expected traffic: a CSV with a head that names `time` (ISO 8601, or Unix seconds) and `rps` (requests a
 * second until the next line).
 *
 * @throws UsageError that names the line
 */
export function readTraffic(file: string): RecordedTraffic {
  if (!existsSync(file)) throw new UsageError(`Traffic "${file}" is not there; allowed is a CSV file with time,rps.`);
  let rows: Record<string, string>[];
  try {
    rows = parse(readFileSync(file, 'utf8'), { columns: true, skip_empty_lines: true, trim: true, bom: true });
  } catch (error) {
    throw new UsageError(`Traffic "${file}" is not CSV: ${(error as Error).message}`);
  }
  const times: number[] = [];
  const rps: number[] = [];
  rows.forEach((row, index) => {
    const line = `Line ${index + 2} of "${file}"`;
    const time = unixSeconds(row.time);
    const rate = Number(row.rps);
    if (time === undefined) {
      throw new UsageError(
        `${line} has time "${row.time}"; allowed is ISO 8601 or Unix seconds, below a head time,rps.`,
      );
    }
    if (!row.rps || !(rate >= 0) || !Number.isFinite(rate)) {
      throw new UsageError(`${line} has rps "${row.rps}"; allowed is a number from 0, below a head time,rps.`);
    }
    if (time <= (times.at(-1) ?? Number.NEGATIVE_INFINITY)) {
      throw new UsageError(`${line} has time "${row.time}", not after the line before; allowed are rising times.`);
    }
    times.push(time);
    rps.push(rate);
  });
  if (times.length < 2) throw new UsageError(`Traffic "${file}" has ${times.length} lines; allowed are 2 and more.`);
  return { times, rps };
}

/** The traffic by the minute; its last line only says when it ends. */
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

/** Requests a second at a moment; `undefined` outside of what was recorded. */
export function recordedAt({ times, rps }: RecordedTraffic, at: number): number | undefined {
  const after = times.findIndex((time) => time > at);
  return after <= 0 ? undefined : rps[after - 1];
}

function unixSeconds(text: string | undefined): number | undefined {
  if (!text) return undefined;
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Date.parse(text) / 1000;
  return Number.isFinite(seconds) ? seconds : undefined;
}
