import type { Queryable } from '../db';

/** A session that `connect-pg-simple` wrote. */
export interface SessionRow {
  readonly json: string;
  /** Milliseconds that it still lives. */
  readonly ttlMs: number;
}

export async function hasLiveSessions(db: Queryable): Promise<boolean> {
  const [row] = await db.query<{ found: boolean }>('SELECT max(expire) > now() AS found FROM sessions');
  return row?.found === true;
}

/** Locks the session for the rest of the transaction: a log-out waits for the end of it. */
export async function lockSession(tx: Queryable, id: string): Promise<SessionRow | undefined> {
  const [row] = await tx.query<SessionRow>(
    `SELECT sess::text AS json, (extract(epoch FROM expire - now()) * 1000)::float8 AS "ttlMs"
     FROM sessions WHERE sid = $1 AND expire > now() FOR UPDATE`,
    [id],
  );
  return row;
}

export async function removeSession(db: Queryable, id: string): Promise<void> {
  await db.query('DELETE FROM sessions WHERE sid = $1', [id]);
}
