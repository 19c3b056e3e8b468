import type { ScalingGroup } from '../scaling/scaling-group';
import { axisNumber, drawSvg } from '../svg';
import type { Simulation, Summary } from './simulate';
import type { RequestSeries } from './traffic';

const WIDTH = 1100;
const HEIGHT = 780;
/** Letters that fit the chart's width. */
const TITLE_LETTERS = 84;
/** Resolution limit: more points are not visible. */
const POINTS = 1000;

const BLUE = '#2563eb';
const GREEN = '#059669';
const RED = '#dc2626';
const GREY = '#64748b';
const INK = '#0f172a';

/** Draws demand and capacity, servers, and CPU over time as SVG, in three panels. */
export function chartOf(title: string, simulation: Simulation, traffic: RequestSeries, group: ScalingGroup): string {
  const { series, summary } = simulation;
  const stride = Math.max(1, Math.ceil(series.demand.length / POINTS));
  const perSecond = (value: number) => value / 60;
  const points = (values: Float64Array, pick: 'most' | 'mean', convert = (value: number) => value) =>
    thinned(values, stride, pick).map((value, i) => [(traffic.start + i * stride * 60) * 1000, convert(value)]);
  return drawSvg(
    {
      animation: false,
      backgroundColor: '#ffffff',
      textStyle: { fontFamily: 'Helvetica, Arial, sans-serif', color: INK },
      title: {
        text: shortened(title),
        subtext: subtitle(summary),
        left: 24,
        top: 14,
        textStyle: { fontSize: 18 },
        subtextStyle: { color: GREY, fontSize: 13 },
      },
      useUTC: true,
      // Server-side rendering estimates text widths: leave room.
      legend: {
        left: 76,
        bottom: 14,
        itemGap: 36,
        itemWidth: 18,
        itemHeight: 4,
        icon: 'roundRect',
        textStyle: { color: INK },
      },
      grid: [panel(100, 290), panel(440, 120), panel(610, 90)],
      xAxis: [0, 1, 2].map((gridIndex) => ({
        type: 'time',
        gridIndex,
        axisLabel: { show: gridIndex === 2, hideOverlap: true, color: GREY },
        axisTick: { show: gridIndex === 2 },
        axisLine: { lineStyle: { color: '#94a3b8' } },
      })),
      yAxis: [summary.waits ? 'jobs/s' : 'requests/s', 'servers', 'CPU (%)'].map((name, gridIndex) => ({
        type: 'value',
        gridIndex,
        name,
        nameLocation: 'end',
        nameTextStyle: { align: 'left', padding: [0, 0, 2, -48], color: INK },
        ...(gridIndex === 0 ? {} : { splitNumber: 2 }),
        ...(gridIndex === 2 ? { max: 100, interval: 50 } : {}),
        minInterval: gridIndex === 1 ? 1 : undefined,
        axisLabel: { formatter: axisNumber, color: GREY },
        splitLine: { lineStyle: { color: '#e2e8f0' } },
      })),
      series: [
        area(summary.waits ? 'queued jobs' : 'dropped requests', RED, points(series.demand, 'most', perSecond)),
        area(summary.waits ? 'completed jobs' : 'served requests', BLUE, points(series.served, 'most', perSecond), 0.9),
        line('capacity', GREEN, points(series.capacity, 'mean', perSecond), 0),
        line('desired capacity', GREY, points(series.desired, 'mean'), 1, {
          step: 'end',
          lineStyle: { width: 1.2, type: 'dashed' },
          markLine: limit(group.maxSize, `maximum ${group.maxSize}`, summary.most > group.maxSize * 0.6),
        }),
        line('servers in service', GREEN, points(series.inService, 'mean'), 1, { step: 'end' }),
        line('CPU', BLUE, points(series.cpu, 'mean'), 2, {
          markLine: limit(summary.cpuTarget, `target ${Math.round(summary.cpuTarget)}%`, !summary.waits),
        }),
      ],
    },
    { title, width: WIDTH, height: HEIGHT },
  );
}

function subtitle({
  waits,
  mostWaiting,
  demand,
  dropped,
  fewest,
  most,
  changesOut,
  changesIn,
  thrash,
}: Summary): string {
  const share = demand === 0 ? 0 : (dropped / demand) * 100;
  const lost = waits
    ? `${mostWaiting.toLocaleString('en-US')} jobs queued at most`
    : `${share.toFixed(share > 0 && share < 0.1 ? 3 : 1)}% dropped`;
  return `${lost} · ${fewest} to ${most} servers · ${changesOut} scale-outs, ${changesIn} scale-ins · thrash ${thrash}`;
}

/** Keeps the end of a long title: the start is the path of a template. */
function shortened(title: string): string {
  return title.length <= TITLE_LETTERS ? title : `…${title.slice(1 - TITLE_LETTERS)}`;
}

const panel = (top: number, height: number) => ({ left: 76, right: 32, top, height });

function line(name: string, color: string, data: number[][], axis: number, more: object = {}) {
  return {
    name,
    type: 'line' as const,
    xAxisIndex: axis,
    yAxisIndex: axis,
    symbol: 'none',
    color,
    lineStyle: { width: 1.6 },
    data,
    ...more,
  };
}

function area(name: string, color: string, data: number[][], opacity = 0.85) {
  return { ...line(name, color, data, 0), lineStyle: { width: 0 }, areaStyle: { color, opacity } };
}

function limit(yAxis: number, formatter: string, shown: boolean) {
  return {
    silent: true,
    symbol: 'none',
    lineStyle: { color: RED, type: 'dashed' as const, width: 1 },
    label: { formatter, position: 'insideStartTop' as const, color: RED },
    data: shown ? [{ yAxis }] : [],
  };
}

/** Downsamples: keeps the maximum or the mean of each stride. */
function thinned(values: Float64Array, stride: number, pick: 'most' | 'mean'): number[] {
  if (stride === 1) return [...values];
  return Array.from({ length: Math.ceil(values.length / stride) }, (_, i) => {
    const some = values.subarray(i * stride, (i + 1) * stride);
    const sum = some.reduce((total, one) => (pick === 'most' ? Math.max(total, one) : total + one), 0);
    return pick === 'most' ? sum : sum / some.length;
  });
}
