import { type DatabaseClient, escapeIdentifier } from '../data/db';

export interface Column {
  readonly name: string;
  readonly type: string;
  readonly notNull: boolean;
  /** `a`: GENERATED ALWAYS AS IDENTITY, `d`: BY DEFAULT, empty: none. */
  readonly identity: string;
}

/** A table of the shop, in the schema `public`. */
export interface Table {
  readonly name: string;
  /** pg_class.relkind: `r` is an ordinary table. */
  readonly kind: string;
  /** pg_class.relpersistence: `u` is unlogged. */
  readonly persistence: string;
  /** Columns except generated ones. */
  readonly columns: readonly Column[];
  /** Columns of the primary key. */
  readonly key: readonly string[];
}

const TABLES = `
  SELECT c.relname AS name, c.relkind AS kind, c.relpersistence AS persistence,
         json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
                                    'notNull', a.attnotnull, 'identity', a.attidentity) ORDER BY a.attname) AS columns,
         coalesce((SELECT json_agg(k.attname ORDER BY array_position(i.indkey::int2[], k.attnum))
                   FROM pg_index i JOIN pg_attribute k ON k.attrelid = i.indrelid AND k.attnum = ANY (i.indkey)
                   WHERE i.indrelid = c.oid AND i.indisprimary), '[]') AS key
  FROM pg_class c
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
  WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'f', 'm')
  GROUP BY c.oid ORDER BY c.relname`;

export async function listTables(session: DatabaseClient): Promise<Table[]> {
  return (await session.query<Table>(TABLES)).rows;
}

/** Table of applied migrations, which is separate on each side. */
const MIGRATIONS_TABLE = 'migrations';

/** Returns the tables to move: those whose changes are in the WAL. Unlogged tables start empty, as after a crash. */
export function movedTables(tables: readonly Table[]): Table[] {
  return tables.filter(({ name, persistence }) => persistence === 'p' && name !== MIGRATIONS_TABLE);
}

/** Returns the qualified and quoted name. */
export function sqlName(table: string): string {
  return `public.${escapeIdentifier(table)}`;
}

/** Returns the quoted names, separated by commas. */
export function sqlColumns(names: readonly string[]): string {
  return names.map(escapeIdentifier).join(', ');
}

export function columnNames(table: Table): string[] {
  return table.columns.map(({ name }) => name);
}
