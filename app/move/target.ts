import { type DatabaseClient, type DatabaseSettings, escapeIdentifier, walPosition, walPositionText } from '../data/db';
import { migrate } from '../data/migrate';
import { CopyDiffers } from './errors';
import type { Transaction } from './pgoutput';
import { asMover, disconnect, MOVER, openSide } from './session';
import { type Statement, statementOf } from './statements';
import { listTables, sqlName, type Table } from './tables';

/**
 * State of the target. `closed`: waits for data, read-only for all clients but the mover. `copied`: closed, with a copy that
 * follows the source. `open`: the move is done.
 */
export type Step = 'closed' | 'copied' | 'open';

/** Minimum statements per batch. */
const BATCH = 500;

/** The target database. Requires its owner, who may set `session_replication_role` but need not be a superuser. */
export class Target {
  private constructor(
    /** The only session that writes: once the next mover holds its lock, a killed mover cannot write any more. */
    readonly session: DatabaseClient,
    private readonly settings: DatabaseSettings,
  ) {}

  /** @throws MoveError if the target does not respond, or another mover uses it */
  static async open(settings: DatabaseSettings): Promise<Target> {
    const locked = 'source and target are the same database, or another move to the target is running';
    return new Target(await openSide(settings, 'target', locked), settings);
  }

  async close(): Promise<void> {
    await this.session.end();
  }

  /** Closes the connection; running queries fail, though they may take effect. */
  disconnect(): void {
    disconnect(this.session);
  }

  step(): Promise<Step | undefined> {
    return stepOf(this.session);
  }

  /** Closes the target to other clients and migrates its tables. Idempotent. */
  async prepare(migrationsDir: string): Promise<void> {
    await this.session.query(`
      CREATE SCHEMA IF NOT EXISTS move;
      CREATE TABLE IF NOT EXISTS move.state (
        id integer PRIMARY KEY DEFAULT 1 CHECK (id = 1), step text NOT NULL, applied pg_lsn, changed_at timestamptz NOT NULL);
      INSERT INTO move.state (step, changed_at) VALUES ('closed', now()) ON CONFLICT DO NOTHING`);
    await this.setWritable(false);
    await migrate(asMover(this.settings), migrationsDir, () => {});
  }

  /** Makes the target writable or read-only for other clients. Terminates their sessions when it becomes read-only. */
  async setWritable(writable: boolean): Promise<void> {
    const { rows } = await this.session.query('SELECT current_database() AS name');
    const name = escapeIdentifier(rows[0].name);
    await this.session.query(
      `ALTER DATABASE ${name} ${writable ? 'RESET' : 'SET'} default_transaction_read_only ${writable ? '' : '= on'}`,
    );
    if (writable) return;
    await this.session.query(
      `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
       WHERE datname = current_database() AND usename = current_user AND application_name <> $1`,
      [MOVER],
    );
  }

  /** Discards the copy, so that the next run makes a new one. */
  async discardCopy(): Promise<void> {
    await this.session.query(`UPDATE move.state SET step = 'closed', applied = NULL, changed_at = now()`);
  }

  /** Truncates the tables before a copy. */
  async truncate(tables: readonly Table[]): Promise<void> {
    await this.discardCopy();
    await this.session.query(`TRUNCATE ${tables.map(({ name }) => sqlName(name)).join(', ')}`);
  }

  /** Records that the copy is complete as of a WAL position of the source. */
  async markCopied(position: bigint): Promise<void> {
    // Without statistics, the first queries after the move would use sequential scans.
    await this.session.query('ANALYZE');
    await this.session.query(`UPDATE move.state SET step = 'copied', applied = $1, changed_at = now()`, [
      walPositionText(position),
    ]);
  }

  /** Returns the WAL position of the source up to which changes are applied. */
  async appliedPosition(): Promise<bigint> {
    const { rows } = await this.session.query('SELECT applied FROM move.state');
    return walPosition(rows[0].applied);
  }

  /**
   * Replays transactions of the source, each exactly once: the applied position is written in the same transaction.
   *
   * @throws CopyDiffers if a change does not affect exactly one row
   */
  async apply(transactions: readonly Transaction[], tables: ReadonlyMap<string, Table>): Promise<void> {
    const applied = await this.appliedPosition();
    let batch: Statement[] = [];
    let end = applied;
    for (const transaction of transactions.filter((each) => each.end > applied)) {
      batch.push(...transaction.changes.map((change) => statementOf(change, tables)));
      end = transaction.end;
      if (batch.length >= BATCH) {
        await this.#run(batch, end);
        batch = [];
      }
    }
    if (batch.length > 0) await this.#run(batch, end);
  }

  async #run(batch: readonly Statement[], end: bigint): Promise<void> {
    const savePosition = `UPDATE move.state SET applied = '${walPositionText(end)}' WHERE applied < '${walPositionText(end)}'`;
    // One message per batch: with a round trip per change, the replay would be slower than the writes of the source.
    const sql = ['BEGIN', ...batch.map((statement) => statement.sql), savePosition].join(';\n');
    try {
      const results = (await this.session.query(sql)) as unknown as { rowCount: number | null }[];
      const wrong = results.slice(1).findIndex(({ rowCount }) => rowCount !== 1);
      if (wrong >= 0) throw new Error(batch[wrong]?.description ?? 'it is already applied');
    } catch (error) {
      // Rejects if the target is down, in which case the copy may be correct.
      await this.session.query('ROLLBACK');
      throw new CopyDiffers(`a change cannot be applied to the copy: ${(error as Error).message}`, { cause: error });
    }
    await this.session.query('COMMIT');
  }

  /** Opens the target to all clients. The point of no return. */
  async openForWrites(): Promise<void> {
    await this.session.query('BEGIN');
    await this.session.query(`UPDATE move.state SET step = 'open', changed_at = now()`);
    await this.setWritable(true);
    await this.session.query('COMMIT');
  }
}

/** Returns the state of the target; undefined if no move was prepared. */
export async function stepOf(session: DatabaseClient): Promise<Step | undefined> {
  const { rows: found } = await session.query(`SELECT to_regclass('move.state') AS state`);
  if (found[0].state === null) return undefined;
  return (await session.query('SELECT step FROM move.state')).rows[0]?.step;
}

/** Returns the tables that contain rows. */
export async function nonEmptyTables(session: DatabaseClient): Promise<string[]> {
  const found: string[] = [];
  for (const { name } of await listTables(session)) {
    if ((await session.query(`SELECT 1 FROM ${sqlName(name)} LIMIT 1`)).rows.length > 0) found.push(name);
  }
  return found;
}
