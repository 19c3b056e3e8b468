import type { PhaseTransition } from '../../lib/phases/transitions';
import { shortType } from '../cloudformation/template';
import { markdownTable, table } from '../support/table';
import { allChanges, type Change, type Comparison, type Fate } from './changes';
import type { GateFinding, Manifest } from './gate';

/** Results for one transition. */
export interface TransitionReport {
  /** `phase-2 -> phase-3` */
  readonly title: string;
  /** Rule for a transition between phases. Undefined for other templates. */
  readonly transition?: PhaseTransition;
  readonly comparison: Comparison;
  readonly manifest: Manifest;
  readonly findings: readonly GateFinding[];
}

/** Whether the gate is red. The gate is skipped for a refused transition. */
export function isRed({ transition, findings }: TransitionReport): boolean {
  return transition?.verdict !== 'refused' && findings.length > 0;
}

const FATES: readonly Fate[] = ['kept', 'changed', 'interrupted', 'replaced', 'refused', 'removed', 'added'];

/** Output format of a report. */
export interface Style {
  readonly table: typeof table;
  readonly heading: (text: string) => string;
  readonly item: (text: string) => string;
  /** Formats a reason with its documentation page. */
  readonly reason: (why: string, source: string | undefined) => string;
}

export const TERMINAL: Style = {
  table,
  heading: (text) => `${text}\n`,
  item: (text) => `  ${text}`,
  reason: (why) => why,
};
export const MARKDOWN: Style = {
  table: markdownTable,
  heading: (text) => `### ${text}\n`,
  item: (text) => `- ${text}`,
  reason: (why, source) => (source ? `[${why}](${source})` : why),
};

/** Formats a table with one row per transition. */
export function summary(reports: readonly TransitionReport[], style: Style): string {
  const rows = reports.map((report) => [
    report.title,
    ...FATES.map((fate) => String(countOf(report, fate) || '')),
    gateOf(report),
    report.transition?.verdict === 'refused' ? `refused: ${report.transition.why}` : (report.transition?.verdict ?? ''),
  ]);
  return style.table(['step', ...FATES, 'gate', 'deploy'], rows);
}

/** Formats the details of one transition. */
export function detail(report: TransitionReport, style: Style): string {
  const { title, findings, transition } = report;
  const verdict = transition ? [style.item(`deploy: ${verdictOf(transition)}`)] : [];
  const red = isRed(report)
    ? findings.map(({ rule, path, message }) => style.item(`${rule}: ${path}: ${message}`))
    : [];
  return [style.heading(`${title}: ${gateOf(report)}`), ...verdict, ...red, '', changeTable(report, style)].join('\n');
}

/** Formats the changes of a transition: a row for each relevant resource, and counts of the others by type. */
export function changeTable({ comparison, manifest }: TransitionReport, style: Style): string {
  const isListed = ({ fate, stateful }: Change) =>
    !['kept', 'added', 'removed'].includes(fate) || (stateful && fate !== 'kept');
  const order = (change: Change) => FATES.indexOf(change.fate);
  const changes = allChanges(comparison);
  const rows = changes
    .filter(isListed)
    .sort((a, b) => order(a) - order(b))
    .map((change) => [change.fate, change.path, shortType(change.type), explain(change, manifest, style)]);
  const others = FATES.flatMap((fate) => {
    const counted = changes.filter((change) => change.fate === fate && !isListed(change));
    return counted.length > 0 ? [style.item(`${counted.length} more ${fate}: ${countByType(counted)}`)] : [];
  });
  const listed = rows.length > 0 ? [style.table(['change', 'construct', 'type', 'details'], rows), ''] : [];
  return [...listed, ...others].join('\n');
}

function explain(change: Change, { resources = {} }: Manifest, { reason }: Style): string {
  const { fate, properties, leaving, stateful, id } = change;
  // Only the properties that determine the fate, such as those that cause a replacement.
  const changed = properties
    .filter((property) => property.fate === fate)
    .map(({ name, why, source }) => (why ? `${name} (${reason(why, source)})` : name))
    .join(', ');
  if (fate === 'removed') return [leaving, resources[id]?.reason].filter(Boolean).join(': ');
  if (fate === 'replaced' && !stateful) return `${changed}; stateless, and the new resource is created first`;
  if (fate === 'replaced') return [`${changed}; ${leaving}`, resources[id]?.reason].filter(Boolean).join(': ');
  return changed;
}

function countByType(changes: readonly Change[]): string {
  const counts = new Map<string, number>();
  for (const { type } of changes) counts.set(shortType(type), (counts.get(shortType(type)) ?? 0) + 1);
  return [...counts].map(([type, count]) => (count > 1 ? `${type} × ${count}` : type)).join(', ');
}

function countOf({ comparison }: TransitionReport, fate: Fate): number {
  return allChanges(comparison).filter((change) => change.fate === fate).length;
}

function gateOf(report: TransitionReport): 'green' | 'red' | 'skipped' {
  if (report.transition?.verdict === 'refused') return 'skipped';
  return isRed(report) ? 'red' : 'green';
}

function verdictOf({ verdict, why, instead }: PhaseTransition): string {
  return `${verdict}: ${why}${instead ? `; ${instead}` : ''}`;
}

/** Returns the JSON output of `--json`. */
export function toJson(reports: readonly TransitionReport[]) {
  return {
    gate: reports.some(isRed) ? 'red' : 'green',
    steps: reports.map((report) => ({
      before: report.comparison.before.name,
      after: report.comparison.after.name,
      gate: gateOf(report),
      ...(report.transition ? { deploy: report.transition } : {}),
      findings: report.findings,
      mayLeave: report.manifest,
      counts: Object.fromEntries(FATES.map((fate) => [fate, countOf(report, fate)])),
      changes: allChanges(report.comparison),
    })),
  };
}
