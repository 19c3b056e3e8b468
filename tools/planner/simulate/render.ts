import { table } from '../../support/table';
import type { Decision } from '../scaling/group-controller';
import type { ScalingGroup } from '../scaling/scaling-group';
import type { Assumption } from './assumptions';
import { type HourPrices, serverCost } from './bill';
import type { Series, Simulation, Summary } from './simulate';
import type { RequestSeries } from './traffic';

/** Changes shown in the terminal. JSON has all. */
const CHANGES_SHOWN = 15;

export interface Run {
  /** Column header, such as `cooldown 300 s`. */
  readonly name: string;
  readonly simulation: Simulation;
}

export interface Report {
  readonly what: string;
  readonly group: ScalingGroup;
  readonly traffic: RequestSeries;
  /** The first is the requested variant. */
  readonly runs: readonly Run[];
  readonly prices: HourPrices;
  readonly assumptions: readonly Assumption[];
}

export function renderReport(report: Report): string {
  const { what, group, traffic, runs, prices } = report;
  const [{ simulation }] = runs as [Run];
  const days = simulation.summary.minutes / 1440;
  const types = group.instanceTypes.length > 0 ? `, ${group.instanceTypes.join(' or ')}` : '';
  return [
    `${what}: ${group.id}, ${group.minSize} to ${group.maxSize} servers${types}`,
    `Traffic: ${traffic.name}, ${count(Math.round(days * 100) / 100)} days from ${time(traffic.start)} UTC, peak ${count(simulation.summary.peakRps)}/s`,
    '',
    figures(runs, prices),
    '',
    changes(simulation.decisions),
    '',
    'Assumptions (doc: AWS documentation, seen: event logs, assumed: by this project)',
    table(
      ['evidence', 'assumption'],
      report.assumptions.map(({ mark, text }) => [mark, text]),
    ),
  ].join('\n');
}

function figures(runs: readonly Run[], prices: HourPrices): string {
  const rows: [string, (summary: Summary) => string][] = [
    ['demand', ({ demand }) => count(demand)],
    ['dropped', ({ dropped, demand }) => `${count(dropped)} (${percent(dropped, demand)})`],
    ['minutes with drops', ({ droppingMinutes }) => count(droppingMinutes)],
    ['queued at the end, maximum', ({ waiting, mostWaiting }) => `${count(waiting)}, ${count(mostWaiting)}`],
    [
      'minutes above target CPU',
      (one) =>
        `${count(one.minutesAboveTarget)} (${percent(one.minutesAboveTarget, one.minutes)}, target ${count(one.cpuTarget)}%)`,
    ],
    ['servers', ({ fewest, most, mean }) => `${fewest} to ${most}, mean ${mean.toFixed(1)}`],
    ['minutes at maximum size', (one) => `${count(one.minutesAtMax)} (${percent(one.minutesAtMax, one.minutes)})`],
    ['scale-outs, scale-ins', ({ changesOut, changesIn }) => `${count(changesOut)}, ${count(changesIn)}`],
    ['thrash', ({ thrash }) => count(thrash)],
    ['spot interruptions', ({ spotLost }) => count(spotLost)],
    ['servers never healthy', ({ neverHealthy }) => count(neverHealthy)],
    ['server hours On-Demand, spot', (one) => `${count(one.onDemandHours)}, ${count(one.spotHours)}`],
    ['cost of the servers', (one) => dollars(serverCost(one, prices))],
  ];
  const summaries = runs.map(({ simulation }) => simulation.summary);
  const unused = new Set([
    ...(summaries.every(({ waits }) => !waits)
      ? ['queued at the end, maximum']
      : ['dropped', 'minutes with drops', 'minutes above target CPU']),
    ...(summaries.every(({ neverHealthy }) => neverHealthy === 0) ? ['servers never healthy'] : []),
    ...(summaries.every(({ spotHours }) => spotHours === 0) ? ['spot interruptions'] : []),
  ]);
  const shown = rows.filter(([name]) => !unused.has(name)).map(([name, show]) => [name, ...summaries.map(show)]);
  return `${table(['', ...runs.map(({ name }) => name)], shown)}\n(prices: ${prices.source})`;
}

function changes(decisions: readonly Decision[]): string {
  if (decisions.length === 0) return 'The desired capacity never changes.';
  const rows = decisions
    .slice(0, CHANGES_SHOWN)
    .map(({ at, from, desired, cause, why }) => [time(at), `${from} -> ${desired}`, cause, why]);
  const left = decisions.length - rows.length;
  const more = left > 0 ? `\n… and ${left} more (--json has all)` : '';
  return table(['time (UTC)', 'capacity', 'by', 'reason'], rows) + more;
}

/** Formats the report as JSON: summary, changes and hourly values of each run. */
export function reportAsJson({ what, group, traffic, runs, prices, assumptions }: Report, seconds: number): string {
  const result = {
    what,
    group,
    traffic: { name: traffic.name, start: new Date(traffic.start * 1000).toISOString() },
    runs: runs.map(({ name, simulation: { summary, decisions, series } }) => ({
      name,
      summary,
      billUsd: serverCost(summary, prices) ?? null,
      decisions: decisions.map((one) => ({ ...one, at: new Date(one.at * 1000).toISOString() })),
      hours: hoursOf(series),
    })),
    prices: { onDemand: prices.onDemand ?? null, spot: prices.spot ?? null, source: prices.source },
    assumptions,
    simulatedInSeconds: seconds,
  };
  return JSON.stringify(result, null, 2);
}

interface Hour {
  readonly demand: number;
  readonly served: number;
  readonly leastCapacity: number;
  readonly servers: number;
}

/** Aggregates by hour: total requests, minimum capacity of a minute, mean servers. */
function hoursOf({ demand, served, capacity, inService }: Series): Hour[] {
  const sum = (values: Float64Array) => values.reduce((total, one) => total + one, 0);
  return Array.from({ length: Math.ceil(demand.length / 60) }, (_, hour) => {
    const of = (values: Float64Array) => values.subarray(hour * 60, (hour + 1) * 60);
    const servers = of(inService);
    return {
      demand: sum(of(demand)),
      served: sum(of(served)),
      leastCapacity: Math.min(...of(capacity)),
      servers: Math.round((sum(servers) / servers.length) * 100) / 100,
    };
  });
}

function dollars(usd: number | undefined): string {
  if (usd === undefined) return 'unpriced: pass --price-per-hour, --spot-price-per-hour';
  return usd.toLocaleString('en-US', { style: 'currency', currency: 'USD' });
}

function count(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: value < 100 ? 2 : 0 });
}

/** Formats a share. A share above 0 is never shown as 0.0%. */
function percent(part: number, whole: number): string {
  const share = whole === 0 ? 0 : (part / whole) * 100;
  if (share > 0 && share < 0.01) return 'below 0.01%';
  return `${share.toFixed(share > 0 && share < 1 ? 2 : 1)}%`;
}

function time(at: number): string {
  return new Date(at * 1000).toISOString().slice(0, 16).replace('T', ' ');
}
