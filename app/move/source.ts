import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type DatabaseClient, type DatabaseSettings, walPosition, walPositionText } from '../data/db';
import { MoveError } from './errors';
import { asMover, cutOff, MOVER, openSession, openSide } from './session';
import { sqlName, type Table } from './tables';

/** All that the move leaves on the source while it goes on, and a slot whose name ends with the database's id. */
const PUBLICATION = 'shop_move';

/** Messages of the log that are read at a time; PostgreSQL goes on to the end of the transaction. */
const BATCH = 5_000;

/** Milliseconds that transactions may take to end by themselves once writes are paused, before they are ended. */
const PATIENCE = 1_000;

/** The source as it was at one point of its log, whatever has happened to it since. */
export interface Snapshot {
  /** What had been committed before this point is in it, and nothing else. */
  readonly position: bigint;
  readonly session: DatabaseClient;
  close(): Promise<void>;
}

/** The database that is moved. All of it asks for a superuser. */
export class Source {
  private constructor(
    readonly session: DatabaseClient,
    private readonly settings: DatabaseSettings,
    /** Its replication slot; their names are those of the whole server. */
    private readonly slot: string,
  ) {}

  /** @throws MoveError when it does not answer, or another mover works on it */
  static async open(settings: DatabaseSettings): Promise<Source> {
    const session = await openSide(settings, 'source', 'another move of this database is under way');
    const { rows } = await session.query(
      `SELECT 'shop_move_' || oid AS slot FROM pg_database WHERE datname = current_database()`,
    );
    return new Source(session, settings, rows[0].slot);
  }

  async close(): Promise<void> {
    await this.session.end();
  }

  /** Cuts it off; what is under way fails. */
  abandon(): void {
    cutOff(this.session);
  }

  /** Has the log kept from here on, with the changes of these tables. What an earlier move left is removed. */
  async begin(tables: readonly Table[]): Promise<Snapshot> {
    await this.forget();
    const list = tables.map(({ name }) => sqlName(name)).join(', ');
    await this.session.query(`CREATE PUBLICATION ${PUBLICATION} FOR TABLE ${list}`);
    return this.#snapshot(this.slot, '');
  }

  /** The state at a point of the log that {@link changes} will reach. */
  point(): Promise<Snapshot> {
    return this.#snapshot(`${this.slot}_point`, 'TEMPORARY');
  }

  /** Only a replication slot gives a snapshot whose place in the log is known. */
  async #snapshot(slot: string, temporary: '' | 'TEMPORARY'): Promise<Snapshot> {
    const settings = { ...asMover(this.settings), replication: 'database' };
    const replication = await connect(settings, MOVER);
    try {
      const { rows } = await replication.query(
        `CREATE_REPLICATION_SLOT ${slot} ${temporary} LOGICAL pgoutput (SNAPSHOT 'export')`,
      );
      const session = await openSession(this.settings);
      await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      // From here on it outlives the session that made it.
      await session.query(`SET TRANSACTION SNAPSHOT '${rows[0].snapshot_name}'`);
      return { position: walPosition(rows[0].consistent_point), session, close: () => session.end() };
    } finally {
      await replication.end();
    }
  }

  /** Whether the log is kept for this move. PostgreSQL gives a slot up that holds more than `max_slot_wal_keep_size`. */
  async isKept(): Promise<boolean> {
    const { rows } = await this.session.query(
      `SELECT 1 FROM pg_replication_slots WHERE slot_name = $1 AND plugin = 'pgoutput' AND wal_status <> 'lost'
         AND EXISTS (SELECT FROM pg_publication WHERE pubname = $2)`,
      [this.slot, PUBLICATION],
    );
    return rows.length > 0;
  }

  /** Where the log ends. */
  async end(): Promise<bigint> {
    const { rows } = await this.session.query('SELECT pg_current_wal_flush_lsn() AS position');
    return walPosition(rows[0].position);
  }

  /** Has everything written out that was committed, and returns where the log ends then. */
  async flushedEnd(): Promise<bigint> {
    const { rows } = await this.session.query(
      `SELECT pg_logical_emit_message(false, $1, 'end', flush => true) AS position`,
      [MOVER],
    );
    return walPosition(rows[0].position);
  }

  /**
   * Messages of pgoutput for the transactions that were committed before `upTo` and not confirmed yet, the oldest first.
   *
   * @returns whether they are all
   */
  async changes(upTo: bigint): Promise<{ readonly messages: Buffer[]; readonly all: boolean }> {
    const { rows } = await this.session.query<{ data: Buffer }>(
      `SELECT data FROM pg_logical_slot_peek_binary_changes($1, $2, $3, 'proto_version', '1', 'publication_names', $4)`,
      [this.slot, walPositionText(upTo), BATCH, PUBLICATION],
    );
    return { messages: rows.map(({ data }) => data), all: rows.length < BATCH };
  }

  /** What is before this point is needed no more. */
  async confirm(position: bigint): Promise<void> {
    await this.session.query(
      `SELECT pg_replication_slot_advance(slot_name, $2) FROM pg_replication_slots
       WHERE slot_name = $1 AND confirmed_flush_lsn < $2`,
      [this.slot, walPositionText(position)],
    );
  }

  async isPaused(): Promise<boolean> {
    const session = await connect(this.settings, MOVER);
    try {
      return (await session.query('SHOW default_transaction_read_only')).rows[0].default_transaction_read_only === 'on';
    } finally {
      await session.end();
    }
  }

  /**
   * Stops writes to this server and lets reads go on: a write fails with `read_only_sql_transaction`, in every session that
   * there is and in every later one, also after a restart. When it returns, nothing that was begun before is still under way.
   *
   * @throws MoveError when sessions from before are still there after 5 s
   */
  async pause(): Promise<void> {
    await this.#letWrite(false);
    const { rows } = await this.session.query('SELECT clock_timestamp()::text AS now');
    // New sessions cannot write any more; those from before, only in a transaction that they have begun. They are ended
    // all the same, so that it need not be believed of each that it has heard: idle ones at once, busy ones after a moment.
    const begin = Date.now();
    while (Date.now() - begin < PATIENCE + 4_000) {
      const { rows: left } = await this.session.query(
        `SELECT CASE WHEN state = 'idle' OR $2 THEN pg_terminate_backend(pid) END FROM pg_stat_activity
         WHERE backend_type = 'client backend' AND datname = current_database() AND application_name <> $3
           AND backend_start < $1::timestamptz`,
        [rows[0].now, Date.now() - begin > PATIENCE, MOVER],
      );
      if (left.length === 0) return;
      await sleep(10);
    }
    throw new MoveError('sessions that could still write do not end');
  }

  /** Lets writes go on; in a session of its own, as the others may be what has failed. */
  async resume(): Promise<void> {
    await this.#letWrite(true);
  }

  async #letWrite(allowed: boolean): Promise<void> {
    const session = await openSession(this.settings);
    try {
      // On the server and not on the database, as that would reach new sessions only.
      const change = allowed ? 'RESET default_transaction_read_only' : 'SET default_transaction_read_only = on';
      await session.query(`ALTER SYSTEM ${change}`);
      await session.query('SELECT pg_reload_conf()');
    } finally {
      await session.end();
    }
    for (let attempt = 0; (await this.isPaused()) === allowed; attempt += 1) {
      if (attempt === 500) throw new MoveError('PostgreSQL does not read its settings again');
      await sleep(10);
    }
  }

  /** Removes slot and publication: a slot that nobody reads keeps the log until the disk is full. */
  async forget(): Promise<void> {
    await this.session.query(
      'SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots WHERE slot_name = $1 AND active',
      [this.slot],
    );
    await this.session.query(
      'SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1',
      [this.slot],
    );
    await this.session.query(`DROP PUBLICATION IF EXISTS ${PUBLICATION}`);
  }
}
