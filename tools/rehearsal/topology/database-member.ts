import { Client } from 'pg';
import { Counters } from '../programs/counters';
import { type Endpoint, openEndpoint } from '../programs/endpoint';
import type { Postgres } from '../programs/postgres';

export interface DatabaseMemberOptions {
  readonly database: string;
  start(): Promise<Postgres>;
  /** Starts the server again on its existing data. */
  resume(): Promise<Postgres>;
}

export interface Statements {
  readonly reads: number;
  readonly writes: number;
}

/** A PostgreSQL server of the tier, primary or replica. Its endpoint stays the same across restarts. */
export class DatabaseMember {
  readonly #statements = new Counters(['reads', 'writes'], () => this.#count());
  #stopped = false;
  #up = true;

  private constructor(
    private readonly options: DatabaseMemberOptions,
    private postgres: Postgres,
    /** Absent when clients connect by Unix socket. */
    readonly endpoint: Endpoint | undefined,
  ) {}

  static async start(options: DatabaseMemberOptions): Promise<DatabaseMember> {
    const server = await options.start();
    const endpoint = server.port === undefined ? undefined : await openEndpoint(server.port);
    return new DatabaseMember(options, server, endpoint);
  }

  get server(): Postgres {
    return this.postgres;
  }

  /** Connection string for clients. */
  get url(): string {
    const { port } = this.postgres;
    const direct = this.postgres.url(this.options.database);
    return this.endpoint ? direct.replace(`:${port}/`, `:${this.endpoint.port}/`) : direct;
  }

  /** False from a crash until the server answers again. */
  get up(): boolean {
    return this.#up;
  }

  crash(): Promise<void> {
    this.#up = false;
    return this.postgres.crash();
  }

  async resume(): Promise<void> {
    if (this.#stopped) return;
    this.postgres = await this.options.resume();
    this.#up = true;
    if (this.#stopped) await this.postgres.stop();
  }

  /** Shuts down cleanly and starts again. */
  async restart(): Promise<void> {
    await this.postgres.stop();
    await this.resume();
  }

  /** Starts to count statements. On the primary, this covers the replicas too. */
  async count(): Promise<void> {
    await this.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements');
  }

  /** Executed statements of the shop: reads, and writes including row locks. */
  statements(): Promise<Statements> {
    return this.#statements.value();
  }

  /** Current sessions on the shop's database; 0 while the server does not answer. */
  async connections(): Promise<number> {
    const counted = `SELECT count(*)::int AS sessions FROM pg_stat_activity WHERE datname = $1`;
    const [row] = await this.query<{ sessions: number }>(counted, [this.options.database]).catch(() => []);
    return row?.sessions ?? 0;
  }

  /** Runs a query as superuser over the Unix socket, which injected network faults do not affect. */
  async query<Row>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    const { socketDir: host, port = 5432 } = this.postgres;
    const client = new Client({ host, port, user: 'postgres', database: 'postgres', connectionTimeoutMillis: 2_000 });
    // Without a listener, the error would end this process. The query rejects with it anyway.
    client.on('error', () => {});
    await client.connect();
    try {
      return (await client.query(sql, [...values])).rows;
    } finally {
      await client.end();
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.endpoint?.close();
    await this.postgres.stop();
  }

  /**
   * Reads `pg_stat_statements`, because sessions report to `pg_stat_database` late, at worst when they end. Excludes the
   * app's WAL position queries, which no visitor causes.
   */
  async #count(): Promise<Statements> {
    const [row] = await this.query<{ reads: string; writes: string }>(
      `SELECT coalesce(sum(calls) FILTER (WHERE reads), 0) AS reads,
              coalesce(sum(calls) FILTER (WHERE NOT reads), 0) AS writes
       FROM (SELECT calls, query ~* '^\\s*SELECT' AND query !~* 'FOR UPDATE' AS reads
             FROM pg_stat_statements JOIN pg_database ON oid = dbid
             WHERE datname = $1 AND query !~ '_wal_') AS statements`,
      [this.options.database],
    );
    return { reads: Number(row?.reads), writes: Number(row?.writes) };
  }
}
