import type { RehearsalEvent, RehearsalSecond } from '../rehearse/findings';
import type { Rehearsal } from '../rehearse/rehearsal';
import { isLate } from '../traffic/punctuality';
import { cacheHits, failureCount, ms, percent } from './format';

/** Label of seconds in which the generator contributes to latencies. */
const LATE = 'load generator late';

/** Seconds between progress lines if the output is not a terminal. */
const LINE_INTERVAL = 5;

/** Progress display of a running rehearsal. */
export interface LiveView {
  /** Restores the terminal. Safe to call twice. */
  close(): void;
}

/** Displays progress: a full-screen view in a terminal, otherwise one line every {@link LINE_INTERVAL} seconds. */
export function startLiveView(
  rehearsal: Rehearsal,
  heading: string,
  seconds: number,
  out: NodeJS.WriteStream,
): LiveView {
  return out.isTTY ? showScreen(rehearsal, heading, seconds, out) : printLines(rehearsal, heading, out);
}

function printLines(rehearsal: Rehearsal, heading: string, out: NodeJS.WriteStream): LiveView {
  out.write(`${heading}\n`);
  let count = 0;
  rehearsal.events.on('event', ({ at, what }) => out.write(`  ${clock(at)}  ${what}\n`));
  rehearsal.events.on('second', (second) => {
    count += 1;
    if (count % LINE_INTERVAL === 0) out.write(`  ${clock(second.at)}  ${figures(second).join(', ')}\n`);
  });
  return { close: () => {} };
}

const SCREEN = { enter: '\x1b[?1049h\x1b[?25l', leave: '\x1b[?25h\x1b[?1049l', home: '\x1b[H', clear: '\x1b[J' };

function showScreen(rehearsal: Rehearsal, heading: string, total: number, out: NodeJS.WriteStream): LiveView {
  const seconds: RehearsalSecond[] = [];
  const events: RehearsalEvent[] = [];
  let open = true;
  out.write(SCREEN.enter);
  const draw = () => {
    if (!open) return;
    const lines = screen({ heading, total, seconds, events, width: out.columns, height: out.rows });
    out.write(`${SCREEN.home}${lines.map((line) => `${line}\x1b[K`).join('\n')}${SCREEN.clear}`);
  };
  rehearsal.events.on('second', (second) => {
    seconds.push(second);
    draw();
  });
  rehearsal.events.on('event', (event) => {
    events.push(event);
    draw();
  });
  draw();
  return {
    close: () => {
      if (open) out.write(SCREEN.leave);
      open = false;
    },
  };
}

export interface Screen {
  readonly heading: string;
  /** Planned duration of the traffic in seconds. */
  readonly total: number;
  readonly seconds: readonly RehearsalSecond[];
  readonly events: readonly RehearsalEvent[];
  readonly width: number;
  readonly height: number;
}

/** Renders one screen, cropped to its width and height. */
export function screen({ heading, total, seconds, events, width, height }: Screen): string[] {
  const last = seconds.at(-1);
  const room = width - LABEL - VALUE - 2;
  const row = (label: string, values: readonly number[], now: string) =>
    `${label.padEnd(LABEL)}${sparkline(values, room)}  ${now}`;
  const charts = [
    row(
      'requests/s',
      seconds.map(({ rps }) => rps),
      (last?.rps ?? 0).toFixed(0),
    ),
    row(
      'p50 ms',
      seconds.map(({ latency }) => latency.p50),
      ms(last?.latency.p50 ?? 0),
    ),
    row(
      'p99 ms',
      seconds.map(({ latency }) => latency.p99),
      ms(last?.latency.p99 ?? 0),
    ),
    row(
      'failed/s',
      seconds.map(({ counts }) => failureCount(counts)),
      String(last ? failureCount(last.counts) : 0),
    ),
    row(
      'in service',
      seconds.map(({ inService }) => inService),
      `${last?.inService ?? 0} of ${last?.desired ?? 0}`,
    ),
    row(
      'primary SQL/s',
      seconds.map(({ queries }) => queries.primary),
      (last?.queries.primary ?? 0).toFixed(0),
    ),
    row(
      'replica SQL/s',
      seconds.map(({ queries }) => queries.replicas),
      (last?.queries.replicas ?? 0).toFixed(0),
    ),
    row(
      'cache hits',
      seconds.map(({ sources }) => cacheHits(sources) ?? 0),
      percent(last && cacheHits(last.sources)),
    ),
  ];
  const failed = seconds.reduce((sum, { counts }) => sum + failureCount(counts), 0);
  const late = last && isLate(last) ? `   ${LATE}` : '';
  const status = `${clock(last?.at ?? 0)} of ${total} s   failed: ${failed}   confirmed: ${last?.acknowledged ?? 0}, lost: ${last?.missed ?? 0}${late}`;
  const top = [...heading.split('\n'), status, '', ...charts, ''];
  const shown = events.slice(-Math.max(0, height - top.length - 1)).map(({ at, what }) => `${clock(at)}  ${what}`);
  return [...top, ...shown].slice(0, height - 1).map((line) => line.slice(0, width));
}

/** Widths of a row's label and of its current value, in columns. */
const LABEL = 16;
const VALUE = 9;

const BARS = ' ▁▂▃▄▅▆▇█';

/** Draws the last values as bars, scaled from 0 to their maximum. */
function sparkline(values: readonly number[], room: number): string {
  const shown = values.slice(-Math.max(0, room));
  const highest = Math.max(...shown, Number.MIN_VALUE);
  return shown
    .map((value) => BARS[Math.ceil((value / highest) * (BARS.length - 1))])
    .join('')
    .padEnd(Math.max(0, room));
}

function figures(second: RehearsalSecond): string[] {
  const { rps, latency, counts, inService, desired, missed } = second;
  return [
    `${rps.toFixed(0)} requests/s`,
    `p50 ${ms(latency.p50)} ms`,
    `p99 ${ms(latency.p99)} ms`,
    `${failureCount(counts)} failed`,
    `${inService} of ${desired} in service`,
    ...(missed > 0 ? [`${missed} confirmed but lost`] : []),
    ...(isLate(second) ? [LATE] : []),
  ];
}

function clock(at: number): string {
  return `${at.toFixed(1).padStart(6)} s`;
}
