import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { table } from '../../support/table';
import { UsageError } from '../../support/usage-error';
import { ageLine, money, rightAligned } from '../cost/render';
import { denseRates, drawCurves } from '../curve/chart';
import { ASSUMED_CONTENTION, type CurvePoint, type Curves, curvesFor, MARKED_RATES, seedLadder } from '../curve/curve';
import demand from '../plan/demand.json';
import { PLAN_DEFAULTS, type PlanInput } from '../plan/workload';
import { type PriceTable, readPriceTable } from '../prices/table';
import { trafficOf } from './cost-command';

export interface CurveOptions {
  /** SVG file to write. */
  readonly out: string;
  readonly region: string;
  readonly json?: boolean;
}

/** Runs the command `curve`. Returns the exit code. */
export function curve({ out, region, json }: CurveOptions): number {
  if (!out.endsWith('.svg')) throw new UsageError(`--out must be a file that ends in .svg, got ${out}.`);
  const folder = dirname(out);
  if (!existsSync(folder)) mkdirSync(folder, { recursive: true });
  const prices = readPriceTable(region);
  writeFileSync(out, costCurve(prices));
  const curves = curvesFor(usualInput(), prices);
  const ladder = seedLadder(prices);
  if (json) console.log(JSON.stringify({ ...curves, seedLadder: ladder, picture: out }, null, 2));
  else console.log([render(curves, ladder), ageLine(prices.age(new Date())), `Wrote ${out}`].join('\n\n'));
  return 0;
}

/** Draws the chart in docs/. It does not depend on the current date. */
export function costCurve(prices: PriceTable): string {
  const input = usualInput();
  const newest = prices
    .prices()
    .map(({ asOf }) => asOf)
    .sort()
    .at(-1);
  const footer =
    `npm run curve: ${prices.region}, On-Demand, newest price ${newest}. CPU time per request: ${input.demand.command}, ${input.demand.asOf}. ` +
    `Assumed contention: sigma ${ASSUMED_CONTENTION.sigma}, kappa ${ASSUMED_CONTENTION.kappa.toFixed(5)}.\n` +
    `One instance runs app and database without redundancy. Many servers survive the loss of a zone. Utilization at the peak: ${100 * input.utilization}%.`;
  return drawCurves(curvesFor(input, prices, denseRates()), curvesFor(input, prices), seedLadder(prices), footer);
}

/** Returns the input with all defaults. */
export function usualInput(): PlanInput {
  const traffic = trafficOf({ rps: 1 });
  if (!traffic) throw new Error('curve: no traffic');
  return {
    traffic,
    cacheHitRatio: PLAN_DEFAULTS.cacheHitRatio.value,
    utilization: PLAN_DEFAULTS.utilization.value,
    jobSeconds: PLAN_DEFAULTS.jobSeconds.value,
    survive: 'zone',
    demand,
  };
}

function render(curves: Curves, ladder: ReturnType<typeof seedLadder>): string {
  const usd = (point: CurvePoint | undefined) => (point?.usd === undefined ? 'not available' : money(point.usd));
  const head = ['requests/s', 'one instance', 'with contention', 'many servers', 'edge', 'the servers'];
  const rows = MARKED_RATES.map((rps, at) => [
    rps.toLocaleString('en-US'),
    usd(curves.vertical[at]),
    usd(curves.contended[at]),
    usd(curves.horizontal[at]),
    usd(curves.traffic[at]),
    curves.horizontal[at]?.what ?? '',
  ]);
  const { vertical, contended } = curves.ends;
  const at = (rps: number) => Math.round(rps).toLocaleString('en-US');
  const ladderHead = ['type', 'vCPUs', 'USD/month estimate', 'USD/month current'];
  const ladderRows = ladder.map((one) => [one.type, String(one.vcpus), money(one.seedUsd), money(one.usd)]);
  return [
    'Cost of machines, USD per month',
    table(head, rightAligned(head, rows, [0, 1, 2, 3, 4])),
    `One instance carries at most ${at(vertical.rps)} requests/s (${vertical.type}, ${vertical.vcpus} vCPUs, the most available), ` +
      `and ${at(contended.rps)} with contention.`,
    'Vertical ladder',
    table(ladderHead, rightAligned(ladderHead, ladderRows, [1, 2, 3])),
  ].join('\n\n');
}
