import { type DatabaseClient, type DatabaseSettings, escapeIdentifier, walPosition, walPositionText } from '../data/db';
import { migrate } from '../data/migrate';
import { CopyDiffers } from './errors';
import type { Transaction } from './pgoutput';
import { asMover, cutOff, MOVER, openSide } from './session';
import { type Statement, statementsOf } from './statements';
import { listTables, sqlName, type Table } from './tables';

/**
 * How far the target is. `closed`: it waits for data, and whoever connects may only read. `copied`: as it, with a copy that
 * follows the source. `open`: the data is here.
 */
export type Step = 'closed' | 'copied' | 'open';

/** Statements that are sent at a time. */
const BATCH = 500;

/** The database that the data moves to. Asks for its owner, who need not be a superuser but may set `session_replication_role`. */
export class Target {
  private constructor(
    /** The only session that writes, so that a mover which was killed has written its last when the next has the lock. */
    readonly session: DatabaseClient,
    private readonly settings: DatabaseSettings,
  ) {}

  /** @throws MoveError when it does not answer, or another mover works on it */
  static async open(settings: DatabaseSettings): Promise<Target> {
    const taken = 'source and target are the same database, or another move to it is under way';
    return new Target(await openSide(settings, 'target', taken), settings);
  }

  async close(): Promise<void> {
    await this.session.end();
  }

  /** Cuts it off; what is under way fails, though it may take effect. */
  abandon(): void {
    cutOff(this.session);
  }

  step(): Promise<Step | undefined> {
    return stepOf(this.session);
  }

  /** Closes it for others, and brings its tables to this version. Safe to repeat. */
  async prepare(migrationsDir: string): Promise<void> {
    await this.session.query(`
      CREATE SCHEMA IF NOT EXISTS move;
      CREATE TABLE IF NOT EXISTS move.state (
        id integer PRIMARY KEY DEFAULT 1 CHECK (id = 1), step text NOT NULL, applied pg_lsn, changed_at timestamptz NOT NULL);
      INSERT INTO move.state (step, changed_at) VALUES ('closed', now()) ON CONFLICT DO NOTHING`);
    await this.letWrite(false);
    await migrate(asMover(this.settings), migrationsDir, () => {});
  }

  /** Lets others write, or only read; those that are connected are sent away to see it. */
  async letWrite(allowed: boolean): Promise<void> {
    const { rows } = await this.session.query('SELECT current_database() AS name');
    const name = escapeIdentifier(rows[0].name);
    await this.session.query(
      `ALTER DATABASE ${name} ${allowed ? 'RESET' : 'SET'} default_transaction_read_only ${allowed ? '' : '= on'}`,
    );
    if (allowed) return;
    await this.session.query(
      `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
       WHERE datname = current_database() AND usename = current_user AND application_name <> $1`,
      [MOVER],
    );
  }

  /** Forgets that there is a copy: the next run makes one. */
  async discard(): Promise<void> {
    await this.session.query(`UPDATE move.state SET step = 'closed', applied = NULL, changed_at = now()`);
  }

  /** Empties the tables, for a copy to begin. */
  async empty(tables: readonly Table[]): Promise<void> {
    await this.discard();
    await this.session.query(`TRUNCATE ${tables.map(({ name }) => sqlName(name)).join(', ')}`);
  }

  /** The copy is there, as the source was at that point of its log. */
  async copied(position: bigint): Promise<void> {
    // Statistics, or the first queries after the move read whole tables.
    await this.session.query('ANALYZE');
    await this.session.query(`UPDATE move.state SET step = 'copied', applied = $1, changed_at = now()`, [
      walPositionText(position),
    ]);
  }

  /** Up to where the source's log is in here. */
  async applied(): Promise<bigint> {
    const { rows } = await this.session.query('SELECT applied FROM move.state');
    return walPosition(rows[0].applied);
  }

  /**
   * Repeats transactions of the source, each once: how far it has come is written along with them.
   *
   * @throws CopyDiffers when a row is not as the source had it
   */
  async apply(transactions: readonly Transaction[], tables: ReadonlyMap<string, Table>): Promise<void> {
    const applied = await this.applied();
    let batch: Statement[] = [];
    let end = applied;
    for (const transaction of transactions.filter((each) => each.end > applied)) {
      batch.push(...transaction.changes.map((change) => statementsOf(change, tables)));
      end = transaction.end;
      if (batch.length >= BATCH) {
        await this.#run(batch, end);
        batch = [];
      }
    }
    if (batch.length > 0) await this.#run(batch, end);
  }

  async #run(batch: readonly Statement[], end: bigint): Promise<void> {
    const note = `UPDATE move.state SET applied = '${walPositionText(end)}' WHERE applied < '${walPositionText(end)}'`;
    // One message for them all: a round trip for each change would be slower than the source's visitors.
    const sql = ['BEGIN', ...batch.map((statement) => statement.sql), note].join(';\n');
    try {
      const results = (await this.session.query(sql)) as unknown as { rowCount: number | null }[];
      const wrong = results.slice(1).findIndex(({ rowCount }) => rowCount !== 1);
      if (wrong >= 0) throw new Error(batch[wrong]?.about ?? 'it was applied before');
    } catch (error) {
      // Fails, with an error of its own, when the target is away; then the copy may be good.
      await this.session.query('ROLLBACK');
      throw new CopyDiffers(`a change does not fit the copy: ${(error as Error).message}`, { cause: error });
    }
    await this.session.query('COMMIT');
  }

  /** From here on the data is here: others may write, and the source is the past. */
  async openForAll(): Promise<void> {
    await this.session.query('BEGIN');
    await this.session.query(`UPDATE move.state SET step = 'open', changed_at = now()`);
    await this.letWrite(true);
    await this.session.query('COMMIT');
  }
}

/** Undefined where no move has been prepared. */
export async function stepOf(session: DatabaseClient): Promise<Step | undefined> {
  const { rows: found } = await session.query(`SELECT to_regclass('move.state') AS state`);
  if (found[0].state === null) return undefined;
  return (await session.query('SELECT step FROM move.state')).rows[0]?.step;
}

/** Tables of the target that hold rows although no move brought them. */
export async function foreignRows(session: DatabaseClient): Promise<string[]> {
  const full: string[] = [];
  for (const { name } of await listTables(session)) {
    if ((await session.query(`SELECT 1 FROM ${sqlName(name)} LIMIT 1`)).rows.length > 0) full.push(name);
  }
  return full;
}
