import type { DatabaseClient } from '../data/db';

interface Sequence {
  readonly name: string;
  /** Null before the first use. */
  readonly lastValue: string | null;
}

/** Returns the sequences of the shop by name. */
export async function sequences(session: DatabaseClient): Promise<Sequence[]> {
  const { rows } = await session.query<Sequence>(
    `SELECT quote_ident(schemaname) || '.' || quote_ident(sequencename) AS name, last_value AS "lastValue"
     FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1`,
  );
  return rows;
}

/** Copies the values of the sequences, which logical decoding does not contain. Call it while writes are paused. */
export async function copySequences(from: DatabaseClient, to: DatabaseClient): Promise<void> {
  for (const { name, lastValue } of await sequences(from)) {
    await to.query('SELECT setval($1, coalesce($2::bigint, 1), $2 IS NOT NULL)', [name, lastValue]);
  }
}
