import type { EChartsCoreOption } from 'echarts';
import { axisNumber, drawSvg } from '../../planner/svg';
import type { RehearsalSecond, Report } from '../rehearse/findings';
import { cacheHits } from './words';

export interface Chart {
  readonly title: string;
  /** A whole SVG document. */
  readonly svg: string;
}

/** Pixels; a page scales them. */
const WIDTH = 720;
const HEIGHT = 260;

const COLOURS = {
  ok: '#2f7d5b',
  refused: '#d9a21b',
  failed: '#c2403a',
  wrong: '#7a3b8f',
  second: '#3567b5',
  third: '#8a94a6',
};

const FONT = { fontFamily: 'system-ui, sans-serif' };
const GRID = { left: 16, right: 20, top: 42, bottom: 8, containLabel: true };
// Widths of texts are guessed here, where there is no page to measure them on: leave room.
const LEGEND = { top: 0, left: 'center', itemGap: 40, itemHeight: 8, itemWidth: 16, textStyle: { color: '#333' } };
const RULES = { lineStyle: { color: '#e6e8ec' } };

interface Line {
  readonly name: string;
  readonly colour: string;
  readonly of: (second: RehearsalSecond) => number | undefined;
  /** Filled, and on top of the filled lines before it. */
  readonly stacked?: boolean;
  /** Stays until it changes. */
  readonly steps?: boolean;
}

interface ChartPlan {
  readonly title: string;
  readonly unit: string;
  readonly lines: readonly Line[];
  readonly log?: boolean;
  /** Where the axis ends. */
  readonly max?: number;
}

/** The charts of a report; what the phase does not have is left out. */
export function charts(report: Report): Chart[] {
  const overTime = plans(report).map((plan) => chart(plan.title, options(plan, report)));
  if (report.scenario.load.profile !== 'ramp') return overTime;
  return [...overTime, chart('Latency by load', latencyByLoad(report))];
}

function plans({ seconds }: Report): ChartPlan[] {
  const { ok, refused, failed, wrong, second, third } = COLOURS;
  const has = (of: (one: RehearsalSecond) => number | undefined) => seconds.some((one) => (of(one) ?? 0) > 0);
  const all: ChartPlan[] = [
    {
      title: 'Requests that ended, a second',
      unit: '/s',
      lines: [
        { name: 'within a second', colour: ok, of: ({ inTime }) => inTime, stacked: true },
        { name: 'later', colour: third, of: ({ counts, inTime }) => counts.ok - inTime, stacked: true },
        { name: 'refused', colour: refused, of: ({ counts }) => counts.refused, stacked: true },
        { name: 'failed', colour: failed, of: ({ counts }) => counts.failed, stacked: true },
        { name: 'wrong', colour: wrong, of: ({ counts }) => counts.wrong, stacked: true },
      ],
    },
    {
      title: 'Latency, from the moment a request was due',
      unit: 'ms',
      log: true,
      lines: [
        { name: 'p50', colour: ok, of: ({ latency }) => latency.p50 || undefined },
        { name: 'p95', colour: second, of: ({ latency }) => latency.p95 || undefined },
        { name: 'p99', colour: failed, of: ({ latency }) => latency.p99 || undefined },
      ],
    },
    {
      title: 'Not answered, a second',
      unit: '/s',
      lines: [
        { name: 'refused', colour: refused, of: ({ counts }) => counts.refused },
        { name: 'failed', colour: failed, of: ({ counts }) => counts.failed },
        { name: 'wrong', colour: wrong, of: ({ counts }) => counts.wrong },
        { name: 'acknowledged and not found again, so far', colour: third, of: ({ missed }) => missed, steps: true },
      ],
    },
    {
      title: 'Servers',
      unit: '',
      lines: [
        { name: 'wanted', colour: third, of: ({ desired }) => desired, steps: true },
        { name: 'in service', colour: ok, of: ({ inService }) => inService, steps: true },
      ],
    },
    {
      title: 'Where statements went',
      unit: '/s',
      lines: [
        { name: 'writes, primary', colour: failed, of: ({ queries }) => queries.writes, stacked: true },
        {
          name: 'reads, primary',
          colour: second,
          of: ({ queries }) => queries.primary - queries.writes,
          stacked: true,
        },
        { name: 'reads, replicas', colour: ok, of: ({ queries }) => queries.replicas, stacked: true },
      ],
    },
    {
      title: 'Connections',
      unit: '',
      lines: [
        { name: 'servers and workers to the pooler', colour: second, of: ({ connections }) => connections.pooler },
        { name: 'to the primary database', colour: failed, of: ({ connections }) => connections.primary },
      ],
    },
    {
      title: 'Answers from caches',
      unit: '%',
      max: 100,
      lines: [
        { name: 'catalogue', colour: second, of: ({ sources }) => percentage(cacheHits(sources)) },
        { name: 'edge', colour: ok, of: ({ edgeHits }) => percentage(edgeHits) },
      ],
    },
    {
      title: 'Background jobs',
      unit: '',
      lines: [
        { name: 'waiting', colour: second, of: ({ jobs }) => jobs },
        { name: 'workers', colour: ok, of: ({ workers }) => workers, steps: true },
      ],
    },
  ];
  const always = new Set([all[1], all[3]]);
  return all
    .map((plan) => (always.has(plan) ? plan : { ...plan, lines: plan.lines.filter(({ of }) => has(of)) }))
    .filter(({ lines }) => lines.length > 0);
}

function chart(title: string, option: EChartsCoreOption): Chart {
  const svg = drawSvg(option, { title, width: WIDTH, height: HEIGHT });
  // Styles for what lies under the pointer, as CDATA, which HTML does not know; nothing here is to be pointed at.
  return { title, svg: svg.replace(/<style.*?<\/style>/gs, '') };
}

function options({ unit, lines, log = false, max }: ChartPlan, { seconds, events }: Report): EChartsCoreOption {
  const end = Math.ceil(seconds.at(-1)?.at ?? 1);
  const marks = {
    silent: true,
    symbol: 'none',
    lineStyle: { color: '#555', type: 'dashed', width: 1 },
    label: { formatter: '{b}', color: '#333', fontSize: 11, fontWeight: 'bold' },
    data: marksOf(events, end).map(({ name, at }) => ({ name, xAxis: round(at) })),
  };
  return {
    animation: false,
    textStyle: FONT,
    grid: GRID,
    legend: LEGEND,
    xAxis: {
      type: 'value',
      min: 0,
      max: end,
      axisLabel: { formatter: '{value} s', color: '#555', hideOverlap: true },
      splitLine: { show: false },
    },
    yAxis: {
      type: log ? 'log' : 'value',
      max,
      minInterval: unit === '' ? 1 : undefined,
      axisLabel: { formatter: inUnit(unit), color: '#555' },
      splitLine: RULES,
    },
    series: lines.map(({ name, colour, of, stacked, steps }, index) => ({
      name,
      type: 'line',
      step: steps ? 'end' : false,
      symbol: 'none',
      sampling: 'lttb',
      connectNulls: true,
      color: colour,
      lineStyle: { width: 1.6 },
      ...(stacked && { stack: 'all', areaStyle: { opacity: 0.35 } }),
      ...(index === 0 && { markLine: marks }),
      data: seconds.map((second) => [round(second.at), round(of(second)) ?? '-']),
    })),
  };
}

/** Each second of a ramp as a point: near the wall, a little more load costs much more time. */
function latencyByLoad({ seconds }: Report): EChartsCoreOption {
  const points = (of: (second: RehearsalSecond) => number) =>
    seconds.map((second) => [round(second.due), round(of(second)) || '-']);
  return {
    animation: false,
    textStyle: FONT,
    grid: GRID,
    legend: LEGEND,
    xAxis: {
      type: 'value',
      axisLabel: { formatter: inUnit('/s'), color: '#555', hideOverlap: true },
      splitLine: { show: false },
    },
    yAxis: { type: 'log', axisLabel: { formatter: inUnit('ms'), color: '#555' }, splitLine: RULES },
    series: [
      { name: 'p50', type: 'scatter', symbolSize: 5, color: COLOURS.ok, data: points(({ latency }) => latency.p50) },
      {
        name: 'p99',
        type: 'scatter',
        symbolSize: 5,
        color: COLOURS.failed,
        data: points(({ latency }) => latency.p99),
      },
    ],
  };
}

/** Labels an axis: `1.2M /s`. */
function inUnit(unit: string): (value: number) => string {
  return (value) => `${axisNumber(value)} ${unit}`.trim();
}

/** Shares of the width: a letter of a mark's label, and the gap between two labels. */
const MARK_LETTER = 0.011;
const MARK_GAP = 0.005;

/** One mark for events that lie too close to tell their numbers apart: `2-4`. */
export function marksOf(events: Report['events'], end: number): { name: string; at: number }[] {
  const longest = `${events.length}-${events.length}`;
  const room = end * (longest.length * MARK_LETTER + MARK_GAP);
  const groups: { first: number; last: number; at: number }[] = [];
  events.forEach(({ at }, index) => {
    const group = groups.at(-1);
    if (group && at - group.at < room) group.last = index + 1;
    else groups.push({ first: index + 1, last: index + 1, at });
  });
  return groups.map(({ first, last, at }) => ({ name: first === last ? `${first}` : `${first}-${last}`, at }));
}

function percentage(share: number | undefined): number | undefined {
  return share === undefined ? undefined : share * 100;
}

/** Shorter documents. */
function round<T extends number | undefined>(value: T): T {
  return (value === undefined ? value : Math.round(value * 10) / 10) as T;
}
