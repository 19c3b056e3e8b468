import { Client, type ClientConfig, Pool, type PoolClient, type QueryConfig, type QueryResult } from 'pg';
import { CONNECTION_SHARE } from '../../lib/constants';
import { Unavailable } from '../errors';

export type { Client as DatabaseClient, ClientConfig as DatabaseSettings, Connection } from 'pg';
export { escapeIdentifier, escapeLiteral } from 'pg';

/** Maximum wait for a connection in milliseconds, then 503: requests must not pile up while the database is down. */
const CONNECT_TIMEOUT = 1_000;

/** Milliseconds. A statement of the shop takes a few; after this long it waits for a lock or a server that hangs. */
const STATEMENT_TIMEOUT = 5_000;

/**
 * Maximum connections of one process. A process has one JavaScript thread. More connections only move the queue from the
 * pool into PostgreSQL, where each costs a backend process and its memory.
 */
const MAX_POOL = 20;

/** Milliseconds after which a read on a replica fails, so that it can be retried on the primary. */
const REPLICA_TIMEOUT = 1_500;

/** Runs SQL: the pool, or a transaction. */
export interface Queryable {
  /** @throws Unavailable if the database does not respond; otherwise the driver's error */
  query<Row>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
}

export interface ConnectionLimits {
  /** PostgreSQL's `max_connections`. */
  readonly maxConnections: number;
  /** Connections that ordinary roles cannot use. */
  readonly reserved: number;
}

/**
 * Returns the connections of each process, from 1 to {@link MAX_POOL}. All processes of all servers together stay within
 * {@link CONNECTION_SHARE} of the connections for ordinary roles.
 *
 * @param processes of all servers
 */
export function poolSize(limits: ConnectionLimits, processes: number): number {
  const usable = Math.floor((limits.maxConnections - limits.reserved) * CONNECTION_SHARE);
  return Math.min(MAX_POOL, Math.max(1, Math.floor(usable / processes)));
}

/** A connection pool of one PostgreSQL server. Only this module imports the driver. */
export class Database implements Queryable {
  /** Statements sent since the process started. */
  readonly counters = { statements: 0 };
  readonly #pool: Pool;

  /**
   * @param onIdleError receives errors of idle connections, which the pool replaces
   * @param role `replica` has a shorter timeout, because a read can be retried on the primary. `proxy` sends no startup
   * settings: RDS Proxy rejects them, and sets them itself
   */
  constructor(
    settings: ClientConfig,
    onIdleError: (error: Error) => void,
    role: 'primary' | 'proxy' | 'replica' = 'primary',
  ) {
    const timeout = role === 'replica' ? REPLICA_TIMEOUT : STATEMENT_TIMEOUT;
    this.#pool = new Pool({
      ...settings,
      application_name: 'shop',
      // Until resize(): one connection is enough to query the limits.
      max: 1,
      connectionTimeoutMillis: CONNECT_TIMEOUT,
      statement_timeout: role === 'proxy' ? undefined : timeout,
      // Client-side, because the server's timeout does not help when the network is down.
      query_timeout: timeout + (role === 'replica' ? 0 : 1_000),
      // A process that hangs in a transaction must release its locks.
      idle_in_transaction_session_timeout: role === 'proxy' ? undefined : STATEMENT_TIMEOUT,
      keepAlive: true,
    });
    // Without a listener, an error of an idle connection ends the process.
    this.#pool.on('error', onIdleError);
  }

  /** Sets the maximum number of connections. */
  resize(connections: number): void {
    // pg-pool reads the option on every checkout.
    this.#pool.options.max = connections;
  }

  async query<Row>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.execute(sql, values)).rows as Row[];
  }

  /** For libraries that take a `pg` pool and call only its `query`. */
  readonly execute = async (query: string | QueryConfig, values: readonly unknown[] = []): Promise<QueryResult> => {
    try {
      this.counters.statements += 1;
      return await (typeof query === 'string' ? this.#pool.query(query, [...values]) : this.#pool.query(query));
    } catch (error) {
      throw translated(error);
    }
  };

  /** Runs `work` in a transaction. Commits when it resolves, rolls back when it rejects. */
  async transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect().catch((error) => {
      throw translated(error);
    });
    // A checked-out connection emits errors here instead of on the pool. Its current query rejects too.
    const ignore = () => {};
    client.on('error', ignore);
    let broken = false;
    try {
      await client.query('BEGIN');
      const result = await work(queryable(client, this.counters));
      await client.query('COMMIT');
      return result;
    } catch (error) {
      const thrown = translated(error);
      broken = thrown instanceof Unavailable || !(await rolledBack(client));
      throw thrown;
    } finally {
      client.off('error', ignore);
      client.release(broken);
    }
  }

  async connectionLimits(): Promise<ConnectionLimits> {
    const [limits] = await this.query<ConnectionLimits>(
      `SELECT current_setting('max_connections')::int AS "maxConnections",
              current_setting('superuser_reserved_connections')::int
              + coalesce(current_setting('reserved_connections', true), '0')::int AS reserved`,
    );
    return limits as ConnectionLimits;
  }

  /** Returns the position in the write-ahead log: written on a primary, replayed on a replica. */
  async walPosition(): Promise<bigint> {
    const [row] = await this.query<{ position: string }>(
      `SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END AS position`,
    );
    return walPosition((row as { position: string }).position);
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }
}

/** Parses an LSN such as `16/B374D848`. */
export function walPosition(text: string): bigint {
  const [high, low] = text.split('/') as [string, string];
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

/** Formats an LSN; the inverse of {@link walPosition}. */
export function walPositionText(position: bigint): string {
  const hex = (part: bigint) => part.toString(16).toUpperCase();
  return `${hex(position >> 32n)}/${hex(position & 0xffffffffn)}`;
}

/**
 * Runs `work` on a dedicated connection without the pool's timeouts, because migrations may take long.
 *
 * @throws Unavailable if the database does not respond
 */
export async function withClient<T>(settings: ClientConfig, work: (client: Client) => Promise<T>): Promise<T> {
  const client = newClient(settings, 'shop-migrate');
  try {
    await client.connect();
    return await work(client);
  } catch (error) {
    throw translated(error);
  } finally {
    await client.end().catch(() => {});
  }
}

/**
 * Opens a dedicated connection without the pool's timeouts. The caller ends it, and gets the driver's errors.
 *
 * @param name `application_name` of the connection
 */
export async function connect(settings: ClientConfig, name: string): Promise<Client> {
  const client = newClient(settings, name);
  await client.connect();
  return client;
}

function newClient(settings: ClientConfig, name: string): Client {
  const client = new Client({
    ...settings,
    application_name: name,
    connectionTimeoutMillis: 5 * CONNECT_TIMEOUT,
    keepAlive: true,
  });
  // An error also rejects the current or next query. Without a listener it would end the process.
  client.on('error', () => {});
  return client;
}

/** Whether the error is a violation of the named constraint. */
export function violates(error: unknown, constraint: string): boolean {
  return (error as { constraint?: string } | undefined)?.constraint === constraint;
}

/** Wraps a single connection as a {@link Queryable}. */
export function queryable(client: Client | PoolClient, counters = { statements: 0 }): Queryable {
  return {
    query: async (sql, values = []) => {
      counters.statements += 1;
      return (await client.query(sql, [...values])).rows;
    },
  };
}

async function rolledBack(client: PoolClient): Promise<boolean> {
  try {
    await client.query('ROLLBACK');
    return true;
  } catch {
    return false;
  }
}

/** Node's error codes for an unreachable server; ENOENT is a missing Unix socket. */
const NETWORK_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOENT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

/**
 * PostgreSQL's error codes for temporary conditions: shutdown, startup, too many connections, read-only after a failover,
 * timeout of a statement or transaction, deadlock, insufficient resources.
 *
 * @see https://www.postgresql.org/docs/17/errcodes-appendix.html
 */
const SERVER_CODES = /^(08...|53...|57P0[1235]|57014|25006|25P03|40P01|55P03)$/;

/** node-postgres sets no code on these errors. */
const DRIVER_MESSAGES =
  /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|Client has encountered a connection error|Client was closed|Cannot use a pool after calling end)/;

function translated(error: unknown): unknown {
  if (error instanceof Error && isUnavailable(error)) return new Unavailable(undefined, { cause: error });
  return error;
}

function isUnavailable(error: Error & { code?: string; errors?: Error[] }): boolean {
  // Node tries all addresses of a host, and wraps their errors.
  if (error instanceof AggregateError) return error.errors.some(isUnavailable);
  if (error.code !== undefined) return NETWORK_CODES.has(error.code) || SERVER_CODES.test(error.code);
  return DRIVER_MESSAGES.test(error.message);
}
