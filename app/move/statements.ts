import { escapeIdentifier, escapeLiteral } from '../data/db';
import type { Change, Row } from './pgoutput';
import { sqlColumns, sqlName, type Table } from './tables';

export interface Statement {
  readonly sql: string;
  /** What it is about, without the row's content. */
  readonly about: string;
}

/** The statement that repeats a change; it changes exactly one row. */
export function statementsOf(change: Change, tables: ReadonlyMap<string, Table>): Statement {
  const table = tables.get(change.table);
  if (table === undefined) throw new Error(`the log holds a change of ${change.table}, which is not moved`);
  return { sql: sqlOf(change, table), about: `${change.kind} in ${change.table}` };
}

function sqlOf({ kind, oldKey, row = {} }: Change, table: Table): string {
  const name = sqlName(table.name);
  if (kind === 'insert') {
    const columns = Object.keys(row);
    const values = columns.map((column) => literal(row[column]));
    return `INSERT INTO ${name} (${sqlColumns(columns)}) OVERRIDING SYSTEM VALUE VALUES (${values.join(', ')})`;
  }
  const where = table.key.map((column) => `${escapeIdentifier(column)} = ${literal((oldKey ?? row)[column])}`);
  if (kind === 'delete') return `DELETE FROM ${name} WHERE ${where.join(' AND ')}`;
  const assignments = assigned(row, table).map((column) => `${escapeIdentifier(column)} = ${literal(row[column])}`);
  return `UPDATE ${name} SET ${assignments.join(', ')} WHERE ${where.join(' AND ')}`;
}

/** A column that is always generated as an identity keeps its value for ever, and PostgreSQL refuses to be told it. */
function assigned(row: Row, table: Table): string[] {
  const fixed = new Set(table.columns.filter(({ identity }) => identity === 'a').map(({ name }) => name));
  return Object.keys(row).filter((column) => !fixed.has(column));
}

function literal(value: string | null | undefined): string {
  return value === null || value === undefined ? 'NULL' : escapeLiteral(value);
}

/** The key of the row that a change is about, as it was before and as it is after. */
export function keysOf(change: Change, table: Table): string[][] {
  return [change.oldKey, change.row]
    .filter((row) => row !== undefined)
    .map((row) => table.key.map((column) => row[column] as string));
}
