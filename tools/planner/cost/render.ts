import { shortType } from '../../cloudformation/template';
import { table } from '../../support/table';
import { MAX_AGE_DAYS, type PriceAge } from '../prices/table';
import type { Bill, BilledCharge, BillRow } from './bill';

/** A line of a bill, which combines equal charges of resources of one type. */
interface Line {
  readonly resource: string;
  readonly charge: BilledCharge;
  readonly units: number | undefined;
  readonly usd: number | undefined;
}

/** Formats a bill for a terminal. */
export function renderBill(title: string, bill: Bill): string {
  const { cells, unknown } = linesOf(bill);
  const head = ['resource', 'charge', 'units', 'unit', 'USD/unit', 'USD/month'];
  return [
    `${title}: ${bill.region}, USD per month`,
    '',
    table(head, rightAligned(head, cells, [2, 4, 5])),
    '',
    ...unknown.map((line) => `Not in the total: ${line}`),
    ...free(bill).map((line) => `Free: ${line}`),
    ...unpriced(bill).map((line) => `UNPRICED: ${line}`),
    '',
    ...totals(bill),
    '',
    ...bill.assumptions.map((line) => `Assumed: ${line}`),
    ageLine(bill.age),
  ].join('\n');
}

/** Formats a bill as Markdown. */
export function billAsMarkdown(title: string, bill: Bill): string {
  const { cells, unknown } = linesOf(bill);
  const list = (lines: readonly string[]) => lines.map((line) => `- ${line}`);
  return [
    `## ${title}`,
    '',
    `${bill.region}, USD per month.`,
    '',
    '| resource | charge | units | unit | USD/unit | USD/month |',
    '|---|---|--:|---|--:|--:|',
    ...cells.map((row) => `| ${row.join(' | ')} |`),
    '',
    ...totals(bill).map((line) => `**${line}**  `),
    '',
    ...list(unknown.map((line) => `Not in the total: ${line}`)),
    ...list(free(bill).map((line) => `Free: ${line}`)),
    ...list(unpriced(bill).map((line) => `**Unpriced**: ${line}`)),
    ...list(bill.assumptions.map((line) => `Assumed: ${line}`)),
    '',
    ageLine(bill.age),
  ].join('\n');
}

/** Compares two bills by resource type, largest difference first. */
export function compareBills(bill: Bill, other: Bill): { type: string; usd: number; otherUsd: number }[] {
  const types = [...new Set([...bill.rows, ...other.rows].map(({ type }) => type))];
  const sum = ({ rows }: Bill, type: string) => rows.reduce((usd, row) => usd + (row.type === type ? row.usd : 0), 0);
  return types
    .map((type) => ({ type, usd: sum(bill, type), otherUsd: sum(other, type) }))
    .filter(({ usd, otherUsd }) => usd !== 0 || otherUsd !== 0)
    .sort((one, two) => Math.abs(two.usd - two.otherUsd) - Math.abs(one.usd - one.otherUsd));
}

export function comparisonRows(title: string, bill: Bill, otherTitle: string, other: Bill) {
  const signed = (usd: number) => `${usd < 0 ? '-' : '+'}${money(Math.abs(usd))}`;
  const rows = compareBills(bill, other).map(({ type, usd, otherUsd }) => [
    shortType(type),
    money(otherUsd),
    money(usd),
    signed(usd - otherUsd),
  ]);
  const total = ['total', money(other.totalUsd), money(bill.totalUsd), signed(bill.totalUsd - other.totalUsd)];
  return { head: ['resources', otherTitle, title, 'difference'], rows: [...rows, total] };
}

export function renderComparison(...args: Parameters<typeof comparisonRows>): string {
  const { head, rows } = comparisonRows(...args);
  return table(head, rightAligned(head, rows, [1, 2, 3]));
}

export function comparisonAsMarkdown(...args: Parameters<typeof comparisonRows>): string {
  const { head, rows } = comparisonRows(...args);
  return [`| ${head.join(' | ')} |`, '|---|--:|--:|--:|', ...rows.map((row) => `| ${row.join(' | ')} |`)].join('\n');
}

/** Describes the age of prices, and warns about old ones. */
export function ageLine({ oldest, oldestDays, old, count }: PriceAge): string {
  if (oldest === undefined) return 'Prices: none used.';
  const age = `${count} prices, the oldest read on ${oldest} (${oldestDays} days ago)`;
  if (old === 0) return `Prices: ${age}.`;
  return `WARNING: ${age}; ${old} are older than ${MAX_AGE_DAYS} days. Run "npm run prices -- --refresh" to update them.`;
}

/** Formats USD with cents and thousands separators. */
export function money(usd: number): string {
  return usd.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
}

/** Pads the given columns so that a table right-aligns them. */
export function rightAligned(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  columns: readonly number[],
): string[][] {
  const width = (column: number) => Math.max(...[head, ...rows].map((row) => (row[column] ?? '').length));
  return rows.map((row) => row.map((text, i) => (columns.includes(i) ? text.padStart(width(i)) : text)));
}

function linesOf(bill: Bill) {
  const groups = grouped(
    bill.rows.flatMap((row) => row.charges.map((charge) => ({ row, charge }))),
    ({ row, charge }) => [row.type, charge.what, charge.price, charge.units === undefined].join('\n'),
  );
  const lines = [...groups.values()].map((group): Line => {
    const [{ row, charge }] = group as [{ row: BillRow; charge: BilledCharge }];
    const total = (pick: (charge: BilledCharge) => number | undefined) =>
      pick(charge) === undefined ? undefined : group.reduce((sum, one) => sum + (pick(one.charge) ?? 0), 0);
    const resource = group.length > 1 ? `${group.length} × ${shortType(row.type)}` : label(row);
    return { resource, charge, units: total(({ units }) => units), usd: total(({ usd }) => usd) };
  });
  const known = lines.filter(({ usd }) => usd !== undefined && usd > 0);
  known.sort((one, other) => (other.usd ?? 0) - (one.usd ?? 0));
  const cells = known.map(({ resource, charge, units, usd }) => [
    resource,
    charge.what,
    quantity(units ?? 0),
    charge.unit ?? '',
    unitPrice(charge),
    money(usd ?? 0),
  ]);
  const open = lines.filter(({ charge, units }) => charge.usdPerUnit !== undefined && units === undefined);
  const unknown = open.map(
    ({ resource, charge }) => `${resource}: ${charge.what}, ${unitPrice(charge)} per ${charge.unit}`,
  );
  return { cells, unknown };
}

function grouped<T>(values: readonly T[], key: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) groups.set(key(value), [...(groups.get(key(value)) ?? []), value]);
  return groups;
}

function totals(bill: Bill): string[] {
  const { priced, usage, free: freeCount, unpriced: unpricedCount } = bill.counts;
  const usageUsd = bill.usageUsd === undefined ? 'usage not calculated: pass --rps' : `usage ${money(bill.usageUsd)}`;
  return [
    `Total ${money(bill.totalUsd)} a month: fixed ${money(bill.fixedUsd)}, ${usageUsd}`,
    `Coverage ${bill.coverage.toFixed(1)}% of ${priced + usage + freeCount + unpricedCount} resources: ` +
      `${priced} priced, ${usage} by usage, ${freeCount} free, ${unpricedCount} unpriced`,
  ];
}

function free({ rows }: Bill): string[] {
  const groups = grouped(
    rows.filter(({ verdict }) => verdict === 'free'),
    ({ why }) => why ?? '',
  );
  return [...groups].map(([why, found]) => `${found.length} × ${why}`);
}

function unpriced({ rows }: Bill): string[] {
  return rows.filter(({ verdict }) => verdict === 'unpriced').map((row) => `${label(row)}: ${row.why}`);
}

function label({ type, name }: BillRow): string {
  return name === '' ? shortType(type) : `${shortType(type)} ${name.replace(/\/Resource$/, '')}`;
}

function quantity(units: number): string {
  return units.toLocaleString('en-US', { maximumFractionDigits: units < 100 ? 2 : 0 });
}

/** Formats the unit price, for tiered prices of the first tier. */
function unitPrice({ usdPerUnit = 0 }: BilledCharge): string {
  const digits = usdPerUnit >= 0.001 ? 4 : 10;
  return usdPerUnit.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: digits });
}
