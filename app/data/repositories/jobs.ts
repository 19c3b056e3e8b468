import type { Queryable } from '../db';

export interface Job {
  readonly id: string;
  readonly kind: 'receipt';
  readonly orderId: string;
  readonly attempts: number;
}

/** Maximum delay between two attempts of a job, in seconds. */
const MAX_BACKOFF = 300;

/** Seconds until a queued job that is not done is sent again; doubled each time. */
const RESEND = 900;
const MAX_RESEND = 6 * 3600;

/** Locks due jobs until the transaction ends, the oldest first; skips jobs that are locked. */
export async function lockDueJobs(tx: Queryable, limit: number): Promise<Job[]> {
  return tx.query<Job>(
    `SELECT id, kind, order_id AS "orderId", attempts FROM jobs WHERE run_at <= now()
     ORDER BY run_at LIMIT $1 FOR UPDATE SKIP LOCKED`,
    [limit],
  );
}

/** Locks the job until the transaction ends, and waits for the lock. Returns undefined if the job is done. */
export async function lockJob(tx: Queryable, id: string): Promise<Job | undefined> {
  const [job] = await tx.query<Job>(
    'SELECT id, kind, order_id AS "orderId", attempts FROM jobs WHERE id = $1 FOR UPDATE',
    [id],
  );
  return job;
}

/** Records that the jobs were sent to the queue, and when to send them again. */
export async function markQueued(tx: Queryable, ids: readonly string[]): Promise<void> {
  await tx.query(
    `UPDATE jobs SET attempts = attempts + 1,
                     run_at = now() + make_interval(secs => least(${MAX_RESEND}, ${RESEND} * 2 ^ least(attempts, 16)))
     WHERE id = ANY($1)`,
    [ids],
  );
}

/** Returns the number of pending jobs and the age of the oldest. */
export async function jobBacklog(db: Queryable): Promise<{ readonly jobs: number; readonly oldestSeconds: number }> {
  const [backlog] = await db.query<{ jobs: number; oldestSeconds: number }>(
    `SELECT count(*)::int AS jobs,
            coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS "oldestSeconds" FROM jobs`,
  );
  return backlog as { jobs: number; oldestSeconds: number };
}

/** Sets the order's receipt and status. Idempotent. */
export async function issueReceipt(tx: Queryable, orderId: string): Promise<void> {
  await tx.query('INSERT INTO receipts (order_id) VALUES ($1) ON CONFLICT DO NOTHING', [orderId]);
  await tx.query(`UPDATE orders SET status = 'fulfilled' WHERE id = $1`, [orderId]);
}

export async function removeJob(tx: Queryable, id: string): Promise<void> {
  await tx.query('DELETE FROM jobs WHERE id = $1', [id]);
}

/** Reschedules the job with exponential backoff: 1, 2, 4, … seconds, at most {@link MAX_BACKOFF}. */
export async function postponeJob(db: Queryable, job: Job): Promise<void> {
  const seconds = Math.min(MAX_BACKOFF, 2 ** Math.min(job.attempts, 16));
  await db.query('UPDATE jobs SET attempts = attempts + 1, run_at = now() + make_interval(secs => $2) WHERE id = $1', [
    job.id,
    seconds,
  ]);
}
