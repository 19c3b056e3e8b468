import type { EChartsOption } from 'echarts';
import { drawSvg } from '../svg';
import { type CurvePoint, type Curves, MARKED_RATES, type seedLadder, type VerticalEnd } from './curve';

const FONT = 'Helvetica, Arial, sans-serif';
const INK = '#1a1a1a';
const GRID = '#d9d9d9';

/** Lines differ in dash, marker and lightness, so that the chart also works in grayscale. */
const STYLES = {
  horizontal: { name: 'many equal servers', color: '#111111', type: 'solid', symbol: 'circle', width: 3 },
  vertical: {
    name: 'one instance, no contention',
    color: '#2b6cb0',
    type: 'dashed',
    symbol: 'rect',
    width: 2,
  },
  contended: { name: 'one instance, contention', color: '#c05621', type: 'dotted', symbol: 'triangle', width: 2.5 },
  traffic: {
    name: 'edge requests and data transfer',
    color: '#8a8a8a',
    type: [12, 3, 2, 3],
    symbol: 'none',
    width: 1.5,
  },
} as const;

type LineName = keyof typeof STYLES;

// Text widths are estimated, because there is no page to measure them on.
const LEGEND_GAP = 40;

const TITLE = 'Cost of machines: one instance or many servers';

/**
 * Draws the cost curves and the vertical ladder as SVG.
 *
 * @param curves at many rates, for the lines
 * @param marked at {@link MARKED_RATES}, for the markers
 */
export function drawCurves(
  curves: Curves,
  marked: Curves,
  ladder: ReturnType<typeof seedLadder>,
  footer: string,
): string {
  return `${drawSvg(option(curves, marked, ladder, footer), { title: TITLE, width: 1200, height: 600 })}\n`;
}

function option(curves: Curves, marked: Curves, ladder: ReturnType<typeof seedLadder>, footer: string): EChartsOption {
  const names = Object.keys(STYLES) as LineName[];
  return {
    animation: false,
    graphic: [endNotes(curves.ends)],
    backgroundColor: '#ffffff',
    textStyle: { fontFamily: FONT, color: INK },
    title: [
      title(TITLE, '5%'),
      title('Vertical ladder: estimate and current price', '66%'),
      { text: footer, left: '5%', bottom: 8, textStyle: { fontSize: 11, fontWeight: 'normal', color: '#555555' } },
    ],
    legend: [
      ...[names.slice(0, 2), names.slice(2)].map((row, index) => ({
        top: 42 + index * 20,
        left: '5%',
        itemGap: LEGEND_GAP,
        itemWidth: 44,
        data: row.map((name) => STYLES[name].name),
      })),
      { top: 42, left: '66%', itemGap: LEGEND_GAP, data: ['initial estimate', 'current On-Demand price'] },
    ],
    grid: [
      { left: '7%', top: 100, width: '52%', bottom: 92 },
      { left: '69%', top: 100, width: '28%', bottom: 92 },
    ],
    xAxis: [logAxis(0, 'requests/s at the peak', 1000, 1_000_000), logAxis(1, 'vCPUs', 1, 1000)],
    yAxis: [logAxis(0, 'USD per month', 1, 10_000_000), logAxis(1, 'USD per month', 1, 1_000_000)],
    series: [
      ...names.map((name) => line(name, curves[name])),
      ...names.map((name) => marks(name, marked[name])),
      ends(curves.ends),
      {
        name: 'initial estimate',
        type: 'scatter',
        xAxisIndex: 1,
        yAxisIndex: 1,
        symbol: 'circle',
        symbolSize: 13,
        itemStyle: { color: '#ffffff', borderColor: '#c05621', borderWidth: 2, opacity: 1 },
        data: ladder.map(({ vcpus, seedUsd }) => [vcpus, seedUsd]),
      },
      {
        name: 'current On-Demand price',
        type: 'scatter',
        xAxisIndex: 1,
        yAxisIndex: 1,
        symbol: 'diamond',
        symbolSize: 9,
        itemStyle: { color: INK, opacity: 1 },
        data: ladder.map(({ type, vcpus, usd }) => ({
          value: [vcpus, usd],
          label: { show: true, formatter: type, position: vcpus > 32 ? 'left' : 'right', fontSize: 11, distance: 9 },
        })),
      },
    ],
  };
}

function title(text: string, left: string) {
  return { text, left, top: 12, textStyle: { fontSize: 16, color: INK } };
}

function logAxis(gridIndex: number, name: string, min: number, max: number) {
  return {
    type: 'log' as const,
    gridIndex,
    name,
    min,
    max,
    nameLocation: 'middle' as const,
    nameGap: name.startsWith('USD') ? 44 : 30,
    nameTextStyle: { fontSize: 12, color: INK },
    axisLabel: { formatter: short, color: INK },
    axisLine: { show: true, lineStyle: { color: INK } },
    splitLine: { show: true, lineStyle: { color: GRID } },
  };
}

function line(name: LineName, points: readonly CurvePoint[]) {
  const { name: label, color, type, width } = STYLES[name];
  return {
    name: label,
    type: 'line' as const,
    step: name === 'traffic' ? (false as const) : ('start' as const),
    showSymbol: false,
    symbol: STYLES[name].symbol,
    symbolSize: 9,
    lineStyle: { color, type: typeof type === 'string' ? type : [...type], width },
    itemStyle: { color },
    data: points.filter(({ usd }) => usd !== undefined).map(({ rps, usd }) => [rps, usd as number]),
  };
}

/** Labels the cost at the marked rates. */
function marks(name: LineName, points: readonly CurvePoint[]) {
  const { color, symbol } = STYLES[name];
  const above = name === 'horizontal' || name === 'traffic';
  return {
    type: 'scatter' as const,
    symbol,
    symbolSize: 9,
    itemStyle: { color, opacity: 1 },
    label: {
      show: name !== 'contended',
      position: above ? ('top' as const) : ('bottom' as const),
      color,
      fontSize: 11,
      formatter: ({ value }: { value?: unknown }) => `$${short((value as number[])[1] ?? 0)}`,
    },
    data: points
      .filter(({ usd }) => usd !== undefined)
      .map(({ rps, usd }) => ({
        value: [rps, usd as number],
        // Keeps the label off the axis labels.
        ...(rps === MARKED_RATES[0] && { label: { offset: [20, 0] } }),
      })),
  };
}

/** Marks the end of vertical scaling with a cross and a letter, which {@link endNotes} explains. */
function ends({ vertical, contended }: Curves['ends']) {
  const end = (one: VerticalEnd, color: string, letter: string, position: 'top' | 'bottom') => ({
    value: [one.rps, one.usd],
    itemStyle: { color, opacity: 1 },
    label: {
      show: true,
      position,
      color,
      fontSize: 13,
      fontWeight: 'bold' as const,
      formatter: letter,
    },
  });
  return {
    type: 'scatter' as const,
    symbol: 'path://M0,0 L2,0 L5,3.5 L8,0 L10,0 L6,5 L10,10 L8,10 L5,6.5 L2,10 L0,10 L4,5 Z',
    symbolSize: 14,
    data: [end(contended, STYLES.contended.color, 'A', 'top'), end(vertical, STYLES.vertical.color, 'B', 'bottom')],
  };
}

function endNotes({ vertical, contended }: Curves['ends']) {
  const notes = [
    `A: ends at ${short(contended.rps)}/s: more vCPUs`,
    '    mostly wait for each other',
    `B: ends at ${short(vertical.rps)}/s: no instance`,
    `    has more than ${vertical.vcpus} vCPUs`,
    `    (${vertical.type})`,
  ];
  return {
    type: 'text' as const,
    left: 498,
    top: 388,
    z: 10,
    style: { text: notes.join('\n'), fill: INK, fontSize: 12, lineHeight: 17, backgroundColor: '#ffffff', padding: 4 },
  };
}

/** Abbreviates 1000 to 1K. */
function short(value: number): string {
  const [divisor, suffix] = value >= 1e6 ? [1e6, 'M'] : value >= 1000 ? [1000, 'K'] : [1, ''];
  return `${Number((value / divisor).toPrecision(2)).toLocaleString('en-US')}${suffix}`;
}

/** Rates of the lines, dense enough for sharp steps. */
export function denseRates(): number[] {
  const [first, last] = [MARKED_RATES[0], MARKED_RATES.at(-1) as number];
  const count = 180;
  return Array.from({ length: count + 1 }, (_, index) => first * (last / first) ** (index / count));
}
