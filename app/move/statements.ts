import { escapeIdentifier, escapeLiteral } from '../data/db';
import type { Change, Row } from './pgoutput';
import { sqlColumns, sqlName, type Table } from './tables';

export interface Statement {
  readonly sql: string;
  /** Description without the content of the row, for error messages. */
  readonly description: string;
}

/** Returns the statement that replays a change. It must affect exactly one row. */
export function statementOf(change: Change, tables: ReadonlyMap<string, Table>): Statement {
  const table = tables.get(change.table);
  if (table === undefined) throw new Error(`pgoutput sent a change of ${change.table}, which is not moved`);
  return { sql: sqlOf(change, table), description: `${change.kind} in ${change.table}` };
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
  const assignments = assignable(row, table).map((column) => `${escapeIdentifier(column)} = ${literal(row[column])}`);
  return `UPDATE ${name} SET ${assignments.join(', ')} WHERE ${where.join(' AND ')}`;
}

/** Excludes GENERATED ALWAYS columns: they never change, and PostgreSQL rejects assigning them. */
function assignable(row: Row, table: Table): string[] {
  const fixed = new Set(table.columns.filter(({ identity }) => identity === 'a').map(({ name }) => name));
  return Object.keys(row).filter((column) => !fixed.has(column));
}

function literal(value: string | null | undefined): string {
  return value === null || value === undefined ? 'NULL' : escapeLiteral(value);
}

/** Returns the keys of the changed row, before and after the change. */
export function keysOf(change: Change, table: Table): string[][] {
  return [change.oldKey, change.row]
    .filter((row) => row !== undefined)
    .map((row) => table.key.map((column) => row[column] as string));
}
