import { join } from 'node:path';
import { CONNECTION_SHARE } from '../../../lib/constants';
import { freePort } from '../../support/processes';
import type { CpuQuota } from '../programs/cpu-quota';
import { type Parts, together } from '../programs/parts';
import { type Pgbouncer, startPgbouncer } from '../programs/pgbouncer';
import { type PostgresOptions, resumeReplica, startPostgres, startReplica } from '../programs/postgres';
import { processTree } from '../programs/process-tree';
import { DatabaseMember } from './database-member';
import type { Snapshot } from './snapshot';

export interface DatabaseTierOptions {
  /** Folder for data and logs. Its path must be short, because it holds Unix sockets. */
  readonly dir: string;
  /**
   * Runs the database on the app's instance: reachable by Unix socket only, within the instance's CPU quota.
   *
   * @default - a separate server
   */
  readonly box?: { readonly quota: CpuQuota | undefined };
  /**
   * Folder of the primary that outlives the run.
   *
   * @default - a folder in `dir`
   */
  readonly persistedDir?: string | undefined;
}

const DATABASE = 'shop';

/** `max_connections`, from which the app derives its pool sizes. */
const MAX_CONNECTIONS = 200;

/** Counts executed statements, without utility commands such as BEGIN. */
const STATISTICS = { shared_preload_libraries: 'pg_stat_statements', 'pg_stat_statements.track_utility': 'off' };

/** The settings of RDS Proxy in phase 4. */
const POOLER = {
  poolSize: MAX_CONNECTIONS * CONNECTION_SHARE,
  waitSeconds: 3,
  sessionSettings: { statement_timeout: '5s', idle_in_transaction_session_timeout: '5s' },
};

/** The database of a phase: primary, streaming replicas, and connection pooler. */
export class DatabaseTier {
  #replicas: readonly DatabaseMember[] = [];
  #pooler: Pgbouncer | undefined;

  private constructor(
    private readonly dir: string,
    readonly primary: DatabaseMember,
    private readonly parts: Parts,
  ) {}

  static async start({ dir, box, persistedDir }: DatabaseTierOptions, parts: Parts): Promise<DatabaseTier> {
    const placed = await place(dir, 'primary', box ? 'socket' : 'tls');
    const own = persistedDir === undefined ? placed : { ...placed, dir: persistedDir };
    const start = async () => {
      const postgres = await startPostgres(own);
      box?.quota?.confine(processTree(postgres.pid));
      return postgres;
    };
    const primary = await parts.add(DatabaseMember.start({ database: DATABASE, start, resume: start }));
    await primary.server.createDatabase(DATABASE);
    await primary.count();
    return new DatabaseTier(dir, primary, parts);
  }

  get replicas(): readonly DatabaseMember[] {
    return this.#replicas;
  }

  async addReplicas(count: number): Promise<void> {
    const { primary, parts } = this;
    this.#replicas = await together(
      Array.from({ length: count }, async (_, index) => {
        const copy = await place(this.dir, `replica-${index + 1}`, 'tls');
        return parts.add(
          DatabaseMember.start({
            database: DATABASE,
            start: () => startReplica(primary.server, copy),
            resume: () => resumeReplica(primary.server, copy),
          }),
        );
      }),
    );
  }

  /** Adds a connection pooler in front of the primary. */
  async addPooler(): Promise<void> {
    const options = { dir: join(this.dir, 'pgbouncer'), database: this.primary.url, ...POOLER };
    this.#pooler = await this.parts.add(startPgbouncer(options));
  }

  /** Environment variables for the app. */
  get environment(): Record<string, string> {
    return {
      DATABASE_URL: this.primary.url,
      ...(this.replicas.length > 0 && { DATABASE_REPLICA_URLS: this.replicas.map(({ url }) => url).join(',') }),
      ...(this.#pooler && { DATABASE_PROXY_URL: this.#pooler.url }),
    };
  }

  /** Connection string that bypasses injected network delays. */
  get url(): string {
    return this.primary.server.url(DATABASE);
  }

  async queries(): Promise<Snapshot['queries']> {
    const [primary, ...replicas] = await together([
      this.primary.statements(),
      ...this.replicas.map((one) => one.statements()),
    ]);
    return {
      primary: primary.reads + primary.writes,
      writes: primary.writes,
      replicas: replicas.map(({ reads, writes }) => reads + writes),
    };
  }

  async connections(): Promise<Snapshot['connections']> {
    const [primary, pooler] = await together([this.primary.connections(), this.#pooler?.clients() ?? none]);
    return { primary, limit: MAX_CONNECTIONS, ...(pooler !== undefined && { pooler }) };
  }

  /** Pauses or resumes WAL replay on all replicas. */
  async replay(on: boolean): Promise<void> {
    const call = on ? 'pg_wal_replay_resume()' : 'pg_wal_replay_pause()';
    await Promise.all(this.replicas.map((replica) => replica.query(`SELECT ${call}`)));
  }
}

async function place(dir: string, name: string, access: 'socket' | 'tls'): Promise<PostgresOptions> {
  return {
    dir: join(dir, name),
    socketDir: join(dir, `${name}-socket`),
    // Phase 2 moves the data off the instance by logical replication.
    settings: {
      max_connections: String(MAX_CONNECTIONS),
      ...STATISTICS,
      ...(access === 'socket' && { wal_level: 'logical' }),
    },
    access,
    ...(access === 'tls' && { port: await freePort() }),
  };
}

const none = Promise.resolve(undefined);
