import { Client } from 'pg';
import { Counter } from './counter';
import { type Endpoint, openEndpoint } from './endpoint';
import type { Postgres } from './postgres';

export interface DatabaseMemberOptions {
  readonly database: string;
  start(): Promise<Postgres>;
  /** Starts it again over the data that it has. */
  resume(): Promise<Postgres>;
}

/** A PostgreSQL server of the tier, primary or replica, under a name that stays when it is started again. */
export class DatabaseMember {
  readonly #transactions = new Counter(() => this.#count());
  #stopped = false;
  #up = true;

  private constructor(
    private readonly options: DatabaseMemberOptions,
    private postgres: Postgres,
    /** Absent where it is reached by a socket. */
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

  /** What clients are given. */
  get url(): string {
    const { port } = this.postgres;
    const direct = this.postgres.url(this.options.database);
    return this.endpoint ? direct.replace(`:${port}/`, `:${this.endpoint.port}/`) : direct;
  }

  /** False from a crash until it answers again. */
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

  /** Stops in order and starts again. */
  async restart(): Promise<void> {
    await this.postgres.stop();
    await this.resume();
  }

  /** Transactions of the shop that ended, in PostgreSQL's own count. */
  transactions(): Promise<number> {
    return this.#transactions.value();
  }

  /** As the superuser, by the socket: what the network does to others does not matter here. */
  async query<Row>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    const { socketDir: host, port = 5432 } = this.postgres;
    const client = new Client({ host, port, user: 'postgres', database: 'postgres', connectionTimeoutMillis: 2_000 });
    // The query says it too.
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

  async #count(): Promise<number> {
    const counted = 'SELECT xact_commit + xact_rollback AS ended FROM pg_stat_database WHERE datname = $1';
    const [row] = await this.query<{ ended: string }>(counted, [this.options.database]);
    return Number(row?.ended);
  }
}
