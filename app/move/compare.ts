import { type DatabaseClient, escapeIdentifier } from '../data/db';
import { columnNames, sqlColumns, sqlName, type Table } from './tables';

/** The content of a table in two numbers. */
export interface Content {
  readonly table: string;
  readonly rows: number;
  /** Sum of a 64-bit hash per row, independent of the order of the rows. */
  readonly checksum: string;
}

/** Primary keys by table and by their JSON. */
export type Keys = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

/** Counts and hashes all rows of the tables, or only the rows with the given keys. */
export async function contents(session: DatabaseClient, tables: readonly Table[], keys?: Keys): Promise<Content[]> {
  const found: Content[] = [];
  for (const table of tables) {
    const selected = keys && [...(keys.get(table.name)?.values() ?? [])];
    const { rows } = await session.query<{ rows: string; checksum: string }>(
      `SELECT count(*) AS rows, coalesce(sum(hashtextextended(ROW(${sqlColumns(columnNames(table))})::text, 0)), 0) AS checksum
       FROM ${sqlName(table.name)} ${selected ? withKeys(table) : ''}`,
      selected && table.key.map((_, index) => selected.map((key) => key[index])),
    );
    const [{ rows: count, checksum }] = rows as [{ rows: string; checksum: string }];
    found.push({ table: table.name, rows: Number(count), checksum });
  }
  return found;
}

function withKeys(table: Table): string {
  const types = new Map(table.columns.map(({ name, type }) => [name, type]));
  const arrays = table.key.map((column, index) => `$${index + 1}::${types.get(column)}[]`);
  const names = table.key.map((column) => escapeIdentifier(column)).join(', ');
  return `JOIN unnest(${arrays.join(', ')}) AS selected (${names}) USING (${names})`;
}

/** Returns one line per table that differs. */
export function differences(source: readonly Content[], target: readonly Content[]): string[] {
  return source.flatMap((content, index) => {
    const other = target[index] as Content;
    if (content.rows !== other.rows) {
      return [`${content.table}: ${content.rows} rows at the source, ${other.rows} at the target`];
    }
    return content.checksum === other.checksum ? [] : [`${content.table}: ${content.rows} rows with different content`];
  });
}
