import { table } from '../../support/table';
import type { Report } from '../rehearse/findings';
import type { Goal } from '../rehearse/goal';
import { KINDS } from '../traffic/messages';
import { facts, serverTable, spikeTable } from './facts';
import { failureCount, mark, ms, REQUEST_COLUMNS, remarks, title, verdictLine } from './format';

/** Renders the report as text for the terminal. */
export function summary(report: Report): string {
  const { scenario, traffic, goals } = report;
  const { ok } = traffic.counts;
  const visitors = `${traffic.visitors.came} visitors, ${traffic.visitors.cameBack} return visits`;
  const spike = spikeTable(report);
  const servers = serverTable(report);
  const parts = [
    `Rehearsal of ${title(scenario)} (${report.machine})`,
    report.events.map(({ at, what }) => `  ${at.toFixed(1).padStart(6)} s  ${what}`).join('\n'),
    `${visitors}: ${traffic.due} requests, ${ok} succeeded, ${failureCount(traffic.counts)} failed${failures(report)}.`,
    latencies(report),
    table(servers.head, servers.rows),
    spike && table(spike.head, spike.rows),
    facts(report).join('\n'),
    ['Targets:', ...goals.map(targetLine)].join('\n'),
    ...remarks(report),
    verdictLine(report),
  ];
  return parts.filter((part) => part !== undefined && part !== '').join('\n\n');
}

/** A line instead of a table row, because measured and required values are sentences. */
function targetLine(goal: Goal): string {
  const [symbol, ...verdict] = mark(goal).split(' ');
  const result = verdict.length === 0 ? '' : `, ${verdict.join(' ')}`;
  return `  ${symbol} ${goal.name}: ${goal.measured} (required: ${goal.goal})${result}`;
}

function failures({ traffic }: Report): string {
  const kinds = Object.entries(traffic.failures).sort(([, a], [, b]) => b - a);
  return kinds.length === 0 ? '' : ` (${kinds.map(([kind, count]) => `${kind}: ${count}`).join(', ')})`;
}

function latencies({ traffic }: Report): string {
  const rows = KINDS.map((kind) => ({ kind, ...traffic.byKind[kind] })).map(({ kind, counts, latency }) => [
    kind,
    String(counts.ok),
    String(failureCount(counts)),
    ...[latency.p50, latency.p95, latency.p99, latency.max].map(ms),
  ]);
  const { p50, p95, p99, max } = traffic.latency;
  rows.push(['all', String(traffic.counts.ok), String(failureCount(traffic.counts)), ...[p50, p95, p99, max].map(ms)]);
  return table(REQUEST_COLUMNS, rows);
}
