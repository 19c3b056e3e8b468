import { Client, type ClientConfig, Pool, type PoolClient, type QueryConfig, type QueryResult } from 'pg';
import { CONNECTION_SHARE } from '../../lib/constants';
import { Unavailable } from '../errors';

export type { Client as DatabaseClient, ClientConfig as DatabaseSettings, Connection } from 'pg';
export { escapeIdentifier, escapeLiteral } from 'pg';

/** Waits longer than this for a connection (in ms) are answered 503: a database that is away must not pile requests up. */
const CONNECT_TIMEOUT = 1_000;

/** A statement of the shop takes milliseconds; one that takes this long (in ms) waits for something that is stuck. */
const STATEMENT_TIMEOUT = 5_000;

/**
 * Connections that one process opens at most. A process has one JavaScript thread: more than this in flight only queue
 * inside PostgreSQL, where each costs a backend process and its memory, instead of in the pool.
 */
const MAX_POOL = 20;

/** A read that a replica has not answered after this time (in ms) is better asked elsewhere. */
const REPLICA_TIMEOUT = 1_500;

/** Something that runs SQL: the pool, or a transaction. */
export interface Queryable {
  /** @throws Unavailable when the database does not answer; the driver's own error for everything else */
  query<Row>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
}

export interface ConnectionLimits {
  /** PostgreSQL's `max_connections`. */
  readonly maxConnections: number;
  /** Those among them that ordinary roles cannot use. */
  readonly reserved: number;
}

/**
 * Connections for each process, so that all processes of all servers together stay within {@link CONNECTION_SHARE} of
 * what the database has for ordinary roles; 1 at least, {@link MAX_POOL} at most.
 *
 * @param processes those of all servers
 */
export function poolSize(limits: ConnectionLimits, processes: number): number {
  const usable = Math.floor((limits.maxConnections - limits.reserved) * CONNECTION_SHARE);
  return Math.min(MAX_POOL, Math.max(1, Math.floor(usable / processes)));
}

/** One PostgreSQL server as the shop reaches it; this is the only module that knows the driver. */
export class Database implements Queryable {
  /** Statements sent since the process started. */
  readonly counters = { statements: 0 };
  readonly #pool: Pool;

  /**
   * @param onIdleError hears of connections that broke while nobody used them; the pool replaces them by itself
   * @param role a replica is waited for less long, as there is somebody else to ask. A proxy in front of the primary
   * refuses connections that bring settings: it makes them itself
   */
  constructor(
    settings: ClientConfig,
    onIdleError: (error: Error) => void,
    role: 'primary' | 'proxy' | 'replica' = 'primary',
  ) {
    const patience = role === 'replica' ? REPLICA_TIMEOUT : STATEMENT_TIMEOUT;
    this.#pool = new Pool({
      ...settings,
      application_name: 'shop',
      // Until resize(): one is enough to ask how many there may be.
      max: 1,
      connectionTimeoutMillis: CONNECT_TIMEOUT,
      statement_timeout: role === 'proxy' ? undefined : patience,
      // The server's clock does not run when the network is cut.
      query_timeout: patience + (role === 'replica' ? 0 : 1_000),
      // A process that hangs inside a transaction must not keep its locks.
      idle_in_transaction_session_timeout: role === 'proxy' ? undefined : STATEMENT_TIMEOUT,
      keepAlive: true,
    });
    // Without a listener, an idle connection that breaks ends the process.
    this.#pool.on('error', onIdleError);
  }

  /** Sets how many connections this process may open from now on. */
  resize(connections: number): void {
    // pg-pool reads it on every checkout.
    this.#pool.options.max = connections;
  }

  async query<Row>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.execute(sql, values)).rows as Row[];
  }

  /** For libraries that ask for a `pg` pool and only ever call `query` on it. */
  readonly execute = async (query: string | QueryConfig, values: readonly unknown[] = []): Promise<QueryResult> => {
    try {
      this.counters.statements += 1;
      return await (typeof query === 'string' ? this.#pool.query(query, [...values]) : this.#pool.query(query));
    } catch (error) {
      throw translated(error);
    }
  };

  /** Runs `work` in a transaction: committed when it resolves, rolled back when it throws. */
  async transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect().catch((error) => {
      throw translated(error);
    });
    // While checked out, a connection reports its end here and not to the pool; the query that runs fails as well.
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

  /** How far the write-ahead log has come: on a primary what is written, on a replica what is replayed. */
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

/** A position in the write-ahead log as PostgreSQL writes it, such as `16/B374D848`, as one number. */
export function walPosition(text: string): bigint {
  const [high, low] = text.split('/') as [string, string];
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

/** The opposite of {@link walPosition}. */
export function walPositionText(position: bigint): string {
  const hex = (part: bigint) => part.toString(16).toUpperCase();
  return `${hex(position >> 32n)}/${hex(position & 0xffffffffn)}`;
}

/**
 * Runs `work` on a connection of its own, outside any pool and without its time limits: migrations may take long.
 *
 * @throws Unavailable when the database does not answer
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
 * Opens a connection of its own, outside any pool and without its time limits. The caller ends it, and gets the driver's own
 * errors.
 *
 * @param name what PostgreSQL shows as its application
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
  // What breaks fails the query that runs, or the next; without a listener it would end the process.
  client.on('error', () => {});
  return client;
}

/** Whether PostgreSQL refused a row because of the named constraint. */
export function violates(error: unknown, constraint: string): boolean {
  return (error as { constraint?: string } | undefined)?.constraint === constraint;
}

/** A single connection seen as something that runs SQL. */
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

/** Node's codes for a server that cannot be reached; ENOENT is a Unix socket that is not there. */
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
 * PostgreSQL's codes for "not now": shut down, starting, out of connections, demoted to read-only in a failover,
 * statement or transaction cut off by a time limit, deadlock, out of resources.
 *
 * @see https://www.postgresql.org/docs/17/errcodes-appendix.html
 */
const SERVER_CODES = /^(08...|53...|57P0[1235]|57014|25006|25P03|40P01|55P03)$/;

/** node-postgres gives these no code. */
const DRIVER_MESSAGES =
  /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|Client has encountered a connection error|Client was closed|Cannot use a pool after calling end)/;

function translated(error: unknown): unknown {
  if (error instanceof Error && isUnavailable(error)) return new Unavailable(undefined, { cause: error });
  return error;
}

function isUnavailable(error: Error & { code?: string; errors?: Error[] }): boolean {
  // Node tries all addresses of a host, and wraps what it got.
  if (error instanceof AggregateError) return error.errors.some(isUnavailable);
  if (error.code !== undefined) return NETWORK_CODES.has(error.code) || SERVER_CODES.test(error.code);
  return DRIVER_MESSAGES.test(error.message);
}
