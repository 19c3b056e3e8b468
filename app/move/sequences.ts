import type { DatabaseClient } from '../data/db';

interface Sequence {
  readonly name: string;
  /** Absent while no value was taken. */
  readonly lastValue: string | null;
}

/** Where each sequence of the shop is, in the order of their names. */
export async function sequences(session: DatabaseClient): Promise<Sequence[]> {
  const { rows } = await session.query<Sequence>(
    `SELECT quote_ident(schemaname) || '.' || quote_ident(sequencename) AS name, last_value AS "lastValue"
     FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1`,
  );
  return rows;
}

/** Logical decoding does not carry sequences: their values are taken over once nobody takes any more. */
export async function copySequences(from: DatabaseClient, to: DatabaseClient): Promise<void> {
  for (const { name, lastValue } of await sequences(from)) {
    await to.query('SELECT setval($1, coalesce($2::bigint, 1), $2 IS NOT NULL)', [name, lastValue]);
  }
}
