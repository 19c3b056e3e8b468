import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type DatabaseClient, type DatabaseSettings, walPosition, walPositionText } from '../data/db';
import { MoveError } from './errors';
import { asMover, disconnect, MOVER, openSession, openSide } from './session';
import { sqlName, type Table } from './tables';

/** The publication on the source. The slot has the same prefix, and the database's OID. */
const PUBLICATION = 'shop_move';

/** Messages per read of the slot. PostgreSQL completes the last transaction. */
const BATCH = 5_000;

/** Milliseconds that open transactions may take to end during the pause, before their sessions are terminated. */
const GRACE_PERIOD = 1_000;

/** The source as of a WAL position. */
export interface Snapshot {
  /** The snapshot contains exactly the transactions that committed before this LSN. */
  readonly position: bigint;
  readonly session: DatabaseClient;
  close(): Promise<void>;
}

/** The database to move. Requires a superuser. */
export class Source {
  private constructor(
    readonly session: DatabaseClient,
    private readonly settings: DatabaseSettings,
    /** Name of the replication slot. Slots are global to the server. */
    private readonly slot: string,
  ) {}

  /** @throws MoveError if the source does not respond, or another mover uses it */
  static async open(settings: DatabaseSettings): Promise<Source> {
    const session = await openSide(settings, 'source', 'another move of this database is running');
    const { rows } = await session.query(
      `SELECT 'shop_move_' || oid AS slot FROM pg_database WHERE datname = current_database()`,
    );
    return new Source(session, settings, rows[0].slot);
  }

  async close(): Promise<void> {
    await this.session.end();
  }

  /** Closes the connection; running queries fail. */
  disconnect(): void {
    disconnect(this.session);
  }

  /** Replaces publication and slot; from now on the WAL is retained. Returns the snapshot of the slot. */
  async createSlot(tables: readonly Table[]): Promise<Snapshot> {
    await this.dropSlot();
    const list = tables.map(({ name }) => sqlName(name)).join(', ');
    await this.session.query(`CREATE PUBLICATION ${PUBLICATION} FOR TABLE ${list}`);
    return this.#exportSnapshot(this.slot, '');
  }

  /** Returns a snapshot at the current WAL position, which {@link changes} will reach. */
  snapshot(): Promise<Snapshot> {
    return this.#exportSnapshot(`${this.slot}_point`, 'TEMPORARY');
  }

  /** Creates a slot, because only a slot exports a snapshot with its WAL position. */
  async #exportSnapshot(slot: string, temporary: '' | 'TEMPORARY'): Promise<Snapshot> {
    const settings = { ...asMover(this.settings), replication: 'database' };
    const replication = await connect(settings, MOVER);
    try {
      const { rows } = await replication.query(
        `CREATE_REPLICATION_SLOT ${slot} ${temporary} LOGICAL pgoutput (SNAPSHOT 'export')`,
      );
      const session = await openSession(this.settings);
      await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      // The imported snapshot outlives the session that exported it.
      await session.query(`SET TRANSACTION SNAPSHOT '${rows[0].snapshot_name}'`);
      return { position: walPosition(rows[0].consistent_point), session, close: () => session.end() };
    } finally {
      await replication.end();
    }
  }

  /** Whether the slot still retains the WAL. PostgreSQL invalidates a slot that exceeds `max_slot_wal_keep_size`. */
  async hasSlot(): Promise<boolean> {
    const { rows } = await this.session.query(
      `SELECT 1 FROM pg_replication_slots WHERE slot_name = $1 AND plugin = 'pgoutput' AND wal_status <> 'lost'
         AND EXISTS (SELECT FROM pg_publication WHERE pubname = $2)`,
      [this.slot, PUBLICATION],
    );
    return rows.length > 0;
  }

  /** Returns the LSN of the end of the WAL. */
  async walEnd(): Promise<bigint> {
    const { rows } = await this.session.query('SELECT pg_current_wal_flush_lsn() AS position');
    return walPosition(rows[0].position);
  }

  /** Flushes the WAL and returns the LSN of its end. */
  async flushWal(): Promise<bigint> {
    const { rows } = await this.session.query(
      `SELECT pg_logical_emit_message(false, $1, 'end', flush => true) AS position`,
      [MOVER],
    );
    return walPosition(rows[0].position);
  }

  /**
   * Reads the pgoutput messages of unconfirmed transactions that committed before `upTo`, the oldest first.
   *
   * @returns `all`: whether there are no more
   */
  async changes(upTo: bigint): Promise<{ readonly messages: Buffer[]; readonly all: boolean }> {
    const { rows } = await this.session.query<{ data: Buffer }>(
      `SELECT data FROM pg_logical_slot_peek_binary_changes($1, $2, $3, 'proto_version', '1', 'publication_names', $4)`,
      [this.slot, walPositionText(upTo), BATCH, PUBLICATION],
    );
    return { messages: rows.map(({ data }) => data), all: rows.length < BATCH };
  }

  /** Advances the slot, so that PostgreSQL can remove the WAL before this position. */
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
   * Pauses writes to this server; reads continue. Writes fail with `read_only_sql_transaction` in current and new sessions,
   * also after a restart. When it resolves, no earlier transaction is open.
   *
   * @throws MoveError if earlier sessions remain after 5 s
   */
  async pause(): Promise<void> {
    await this.#setWritable(false);
    const { rows } = await this.session.query('SELECT clock_timestamp()::text AS now');
    // New sessions are read-only. Earlier sessions may not have reloaded the setting yet, so they are terminated: idle ones
    // immediately, busy ones after the grace period.
    const startedAt = Date.now();
    while (Date.now() - startedAt < GRACE_PERIOD + 4_000) {
      const { rows: remaining } = await this.session.query(
        `SELECT CASE WHEN state = 'idle' OR $2 THEN pg_terminate_backend(pid) END FROM pg_stat_activity
         WHERE backend_type = 'client backend' AND datname = current_database() AND application_name <> $3
           AND backend_start < $1::timestamptz`,
        [rows[0].now, Date.now() - startedAt > GRACE_PERIOD, MOVER],
      );
      if (remaining.length === 0) return;
      await sleep(10);
    }
    throw new MoveError('sessions that could still write did not end within 5 s');
  }

  /** Resumes writes. Uses a new session, because the others may have failed. */
  async resume(): Promise<void> {
    await this.#setWritable(true);
  }

  async #setWritable(writable: boolean): Promise<void> {
    const session = await openSession(this.settings);
    try {
      // ALTER SYSTEM, because ALTER DATABASE affects new sessions only.
      const change = writable ? 'RESET default_transaction_read_only' : 'SET default_transaction_read_only = on';
      await session.query(`ALTER SYSTEM ${change}`);
      await session.query('SELECT pg_reload_conf()');
    } finally {
      await session.end();
    }
    for (let attempt = 0; (await this.isPaused()) === writable; attempt += 1) {
      if (attempt === 500) throw new MoveError('PostgreSQL did not reload its settings');
      await sleep(10);
    }
  }

  /** Drops slot and publication. An unused slot would retain WAL until the disk is full. */
  async dropSlot(): Promise<void> {
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
