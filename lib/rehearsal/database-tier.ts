import { join } from 'node:path';
import { CONNECTION_SHARE } from '../constants';
import { freePort } from '../processes';
import type { CpuQuota } from './cpu-quota';
import { DatabaseMember } from './database-member';
import { type Parts, together } from './parts';
import { type Pgbouncer, startPgbouncer } from './pgbouncer';
import { type PostgresOptions, resumeReplica, startPostgres, startReplica } from './postgres';
import { processTree } from './process-tree';

export interface DatabaseTierOptions {
  /** Folder for data and logs; its path must be short, since it holds Unix sockets. */
  readonly dir: string;
  /**
   * The app's machine, where it is reached by a socket and by nothing else, and shares the processors.
   *
   * @default - a machine of its own
   */
  readonly box?: { readonly quota: CpuQuota | undefined };
  readonly replicas: number;
  /** Whether a connection pooler stands before the primary. */
  readonly pooled: boolean;
}

const DATABASE = 'shop';

/** The app sizes its pools by it. */
const MAX_CONNECTIONS = 200;

/** As phase 4 sets up RDS Proxy. */
const POOLER = {
  poolSize: MAX_CONNECTIONS * CONNECTION_SHARE,
  waitSeconds: 3,
  sessionSettings: { statement_timeout: '5s', idle_in_transaction_session_timeout: '5s' },
};

/** The database of a phase: a primary, streaming replicas, a pooler. */
export class DatabaseTier {
  private constructor(
    readonly primary: DatabaseMember,
    readonly replicas: readonly DatabaseMember[],
    private readonly pooler: Pgbouncer | undefined,
  ) {}

  static async start(options: DatabaseTierOptions, parts: Parts): Promise<DatabaseTier> {
    const { dir, box, pooled } = options;
    const place = async (name: string, access: PostgresOptions['access']): Promise<PostgresOptions> => ({
      dir: join(dir, name),
      socketDir: join(dir, `${name}-socket`),
      settings: { max_connections: String(MAX_CONNECTIONS) },
      access,
      ...(access === 'tls' && { port: await freePort() }),
    });
    const own = await place('primary', box ? 'socket' : 'tls');
    const start = async () => {
      const postgres = await startPostgres(own);
      box?.quota?.confine(processTree(postgres.pid));
      return postgres;
    };
    const primary = await parts.add(DatabaseMember.start({ database: DATABASE, start, resume: start }));
    await primary.server.createDatabase(DATABASE);
    const replicas = await together(
      Array.from({ length: options.replicas }, async (_, index) => {
        const copy = await place(`replica-${index + 1}`, 'tls');
        return parts.add(
          DatabaseMember.start({
            database: DATABASE,
            start: () => startReplica(primary.server, copy),
            resume: () => resumeReplica(primary.server, copy),
          }),
        );
      }),
    );
    const pooler = pooled
      ? await parts.add(startPgbouncer({ dir: join(dir, 'pgbouncer'), database: primary.url, ...POOLER }))
      : undefined;
    return new DatabaseTier(primary, replicas, pooler);
  }

  /** What the app is told of it. */
  get environment(): Record<string, string> {
    return {
      DATABASE_URL: this.primary.url,
      ...(this.replicas.length > 0 && { DATABASE_REPLICA_URLS: this.replicas.map(({ url }) => url).join(',') }),
      ...(this.pooler && { DATABASE_PROXY_URL: this.pooler.url }),
    };
  }

  /** Past everything that can be made slow. */
  get url(): string {
    return this.primary.server.url(DATABASE);
  }

  async queries(): Promise<{ primary: number; replicas: number[] }> {
    const [primary, ...replicas] = await Promise.all([this.primary, ...this.replicas].map((one) => one.transactions()));
    return { primary: primary as number, replicas };
  }

  /** Replicas stop replaying what they get, or go on with it. */
  async replay(on: boolean): Promise<void> {
    const call = on ? 'pg_wal_replay_resume()' : 'pg_wal_replay_pause()';
    await Promise.all(this.replicas.map((replica) => replica.query(`SELECT ${call}`)));
  }
}
