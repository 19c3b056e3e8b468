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
  /** File that the SVG is written to. */
  readonly out: string;
  readonly region: string;
  readonly json?: boolean;
}

/** The verb `curve`. */
export function curve({ out, region, json }: CurveOptions): number {
  if (!out.endsWith('.svg')) throw new UsageError(`--out ${out}: allowed is a file that ends in .svg`);
  const folder = dirname(out);
  if (!existsSync(folder)) mkdirSync(folder, { recursive: true });
  const prices = readPriceTable(region);
  writeFileSync(out, costCurve(prices));
  const curves = curvesFor(usualInput(), prices);
  const ladder = seedLadder(prices);
  if (json) console.log(JSON.stringify({ ...curves, seedLadder: ladder, picture: out }, null, 2));
  else console.log([render(curves, ladder), ageLine(prices.age(new Date())), `Written: ${out}`].join('\n\n'));
  return 0;
}

/** The picture that docs/ has; it must not change by itself from day to day. */
export function costCurve(prices: PriceTable): string {
  const input = usualInput();
  const newest = prices
    .prices()
    .map(({ asOf }) => asOf)
    .sort()
    .at(-1);
  const footer =
    `npm run curve: ${prices.region}, on demand, prices read up to ${newest}. CPU time of a request by ${input.demand.command}, ${input.demand.asOf}. ` +
    `Contention is assumed: sigma ${ASSUMED_CONTENTION.sigma}, kappa ${ASSUMED_CONTENTION.kappa.toFixed(5)}.\n` +
    `One box has app and database on it and no second one beside it; many servers may lose any zone. Machines are used to ${100 * input.utilization}% at the peak.`;
  return drawCurves(curvesFor(input, prices, denseRates()), curvesFor(input, prices), seedLadder(prices), footer);
}

/** The shop as its defaults describe it. */
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
  const usd = (point: CurvePoint | undefined) => (point?.usd === undefined ? 'impossible' : money(point.usd));
  const head = [
    'requests/s',
    'one box, at best',
    'with contention',
    'many servers',
    'the edge bills',
    'many servers are',
  ];
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
  const ladderHead = ['type', 'vCPUs', 'USD/month as told', 'USD/month today'];
  const ladderRows = ladder.map((one) => [one.type, String(one.vcpus), money(one.seedUsd), money(one.usd)]);
  return [
    'US dollars a month for machines',
    table(head, rightAligned(head, rows, [0, 1, 2, 3, 4])),
    `One box ends at ${at(vertical.rps)} requests/s at best (${vertical.type}, ${vertical.vcpus} vCPUs: there is none with more), ` +
      `and at ${at(contended.rps)} with contention.`,
    'The vertical ladder',
    table(ladderHead, rightAligned(ladderHead, ladderRows, [1, 2, 3])),
  ].join('\n\n');
}
