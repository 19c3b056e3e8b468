import type { EChartsCoreOption } from 'echarts';
import { axisNumber, drawSvg } from '../../planner/svg';
import type { RehearsalSecond, Report } from '../rehearse/findings';
import { IN_TIME } from '../traffic/messages';
import { cacheHits } from './format';

export interface Chart {
  readonly title: string;
  /** A complete SVG document. */
  readonly svg: string;
}

/** Pixels; the page scales the charts. */
const WIDTH = 720;
const HEIGHT = 260;

const COLORS = {
  ok: '#2f7d5b',
  refused: '#d9a21b',
  failed: '#c2403a',
  wrong: '#7a3b8f',
  second: '#3567b5',
  third: '#8a94a6',
};

const FONT = { fontFamily: 'system-ui, sans-serif' };
const GRID = { left: 16, right: 20, top: 42, bottom: 8, containLabel: true };
// Without a browser, echarts estimates text widths; the gap leaves room for errors.
const LEGEND = { top: 0, left: 'center', itemGap: 40, itemHeight: 8, itemWidth: 16, textStyle: { color: '#333' } };
const RULES = { lineStyle: { color: '#e6e8ec' } };

interface Line {
  readonly name: string;
  readonly color: string;
  readonly of: (second: RehearsalSecond) => number | undefined;
  /** Filled and stacked on the previous stacked lines. */
  readonly stacked?: boolean;
  /** Drawn as steps. */
  readonly steps?: boolean;
}

interface ChartPlan {
  readonly title: string;
  readonly unit: string;
  readonly lines: readonly Line[];
  readonly log?: boolean;
  /** End of the axis. */
  readonly max?: number;
}

/** Returns the charts of a report, without those that have no data. */
export function charts(report: Report): Chart[] {
  const overTime = plans(report).map((plan) => chart(plan.title, options(plan, report)));
  if (report.scenario.load.profile !== 'ramp') return overTime;
  return [...overTime, chart('Latency by load', latencyByLoad(report))];
}

function plans({ seconds }: Report): ChartPlan[] {
  const { ok, refused, failed, wrong, second, third } = COLORS;
  const has = (of: (one: RehearsalSecond) => number | undefined) => seconds.some((one) => (of(one) ?? 0) > 0);
  const all: ChartPlan[] = [
    {
      title: 'Completed requests per second',
      unit: '/s',
      lines: [
        { name: `within ${IN_TIME / 1000} s`, color: ok, of: ({ inTime }) => inTime, stacked: true },
        { name: 'slower', color: third, of: ({ counts, inTime }) => counts.ok - inTime, stacked: true },
        { name: 'refused', color: refused, of: ({ counts }) => counts.refused, stacked: true },
        { name: 'failed', color: failed, of: ({ counts }) => counts.failed, stacked: true },
        { name: 'wrong', color: wrong, of: ({ counts }) => counts.wrong, stacked: true },
      ],
    },
    {
      title: 'Latency from the time a request was due',
      unit: 'ms',
      log: true,
      lines: [
        { name: 'p50', color: ok, of: ({ latency }) => latency.p50 || undefined },
        { name: 'p95', color: second, of: ({ latency }) => latency.p95 || undefined },
        { name: 'p99', color: failed, of: ({ latency }) => latency.p99 || undefined },
      ],
    },
    {
      title: 'Failed requests per second',
      unit: '/s',
      lines: [
        { name: 'refused', color: refused, of: ({ counts }) => counts.refused },
        { name: 'failed', color: failed, of: ({ counts }) => counts.failed },
        { name: 'wrong', color: wrong, of: ({ counts }) => counts.wrong },
        { name: 'confirmed but lost, in total', color: third, of: ({ missed }) => missed, steps: true },
      ],
    },
    {
      title: 'Servers',
      unit: '',
      lines: [
        { name: 'desired', color: third, of: ({ desired }) => desired, steps: true },
        { name: 'in service', color: ok, of: ({ inService }) => inService, steps: true },
      ],
    },
    {
      title: 'SQL statements per second',
      unit: '/s',
      lines: [
        { name: 'writes, primary', color: failed, of: ({ queries }) => queries.writes, stacked: true },
        {
          name: 'reads, primary',
          color: second,
          of: ({ queries }) => queries.primary - queries.writes,
          stacked: true,
        },
        { name: 'reads, replicas', color: ok, of: ({ queries }) => queries.replicas, stacked: true },
      ],
    },
    {
      title: 'Connections',
      unit: '',
      lines: [
        { name: 'servers and workers to pooler', color: second, of: ({ connections }) => connections.pooler },
        { name: 'to primary', color: failed, of: ({ connections }) => connections.primary },
      ],
    },
    {
      title: 'Cache hit ratio',
      unit: '%',
      max: 100,
      lines: [
        { name: 'catalogue', color: second, of: ({ sources }) => percentage(cacheHits(sources)) },
        { name: 'edge', color: ok, of: ({ edgeHits }) => percentage(edgeHits) },
      ],
    },
    {
      title: 'Background jobs',
      unit: '',
      lines: [
        { name: 'waiting', color: second, of: ({ jobs }) => jobs },
        { name: 'workers', color: ok, of: ({ workers }) => workers, steps: true },
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
  // Removes hover styles: HTML does not support their CDATA section.
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
    series: lines.map(({ name, color, of, stacked, steps }, index) => ({
      name,
      type: 'line',
      step: steps ? 'end' : false,
      symbol: 'none',
      sampling: 'lttb',
      connectNulls: true,
      color,
      lineStyle: { width: 1.6 },
      ...(stacked && { stack: 'all', areaStyle: { opacity: 0.35 } }),
      ...(index === 0 && { markLine: marks }),
      data: seconds.map((second) => [round(second.at), round(of(second)) ?? '-']),
    })),
  };
}

/** One point per second of a ramp: latency rises steeply close to saturation. */
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
      { name: 'p50', type: 'scatter', symbolSize: 5, color: COLORS.ok, data: points(({ latency }) => latency.p50) },
      {
        name: 'p99',
        type: 'scatter',
        symbolSize: 5,
        color: COLORS.failed,
        data: points(({ latency }) => latency.p99),
      },
    ],
  };
}

/** Formats an axis label: `1.2M /s`. */
function inUnit(unit: string): (value: number) => string {
  return (value) => `${axisNumber(value)} ${unit}`.trim();
}

/** Shares of the chart's width: one letter of a mark's label, and the gap between labels. */
const MARK_LETTER_WIDTH = 0.011;
const MARK_GAP = 0.005;

/** Groups events whose labels would overlap into one mark, such as `2-4`. */
export function marksOf(events: Report['events'], end: number): { name: string; at: number }[] {
  const longest = `${events.length}-${events.length}`;
  const room = end * (longest.length * MARK_LETTER_WIDTH + MARK_GAP);
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

/** Rounds to one decimal, for a smaller document. */
function round<T extends number | undefined>(value: T): T {
  return (value === undefined ? value : Math.round(value * 10) / 10) as T;
}
