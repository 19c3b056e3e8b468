import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Client } from 'pg';
import { freePort } from '../../support/processes';
import { serverUser } from './postgres-user';
import { startProgram } from './program';

export interface PgbouncerOptions {
  /** Folder for configuration and log. Created when missing. */
  readonly dir: string;
  /** Connection string of the database, with TLS and a password. */
  readonly database: string;
  /** Maximum connections to the database. */
  readonly poolSize: number;
  /** Maximum seconds that a client waits for a connection. */
  readonly waitSeconds: number;
  /** Settings of each database session, such as `{ statement_timeout: '5s' }`. Clients cannot set their own. */
  readonly sessionSettings: Readonly<Record<string, string>>;
}

/** A running PgBouncer. */
export interface Pgbouncer {
  readonly pid: number;
  readonly port: number;
  /** Connection string for clients: no TLS, the database's password. */
  readonly url: string;
  /** Current client connections; undefined while PgBouncer does not answer. */
  clients(): Promise<number | undefined>;
  /** Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Starts PgBouncer as a stand-in for RDS Proxy: transaction pooling of many client connections over few database connections.
 * It stops when this process exits.
 *
 * @throws Error with the end of the log when pgbouncer is missing or does not start
 * @see https://www.pgbouncer.org/config.html
 */
export async function startPgbouncer(options: PgbouncerOptions): Promise<Pgbouncer> {
  const dir = resolve(options.dir);
  const user = serverUser();
  const port = await freePort();
  const database = new URL(options.database);
  const name = database.pathname.slice(1);
  mkdirSync(dir, { recursive: true });
  user.own(dir);
  const write = (file: string, text: string) => {
    writeFileSync(join(dir, file), text, { mode: 0o600 });
    user.own(join(dir, file));
    return join(dir, file);
  };
  const users = write('users.txt', `"${database.username}" "${database.password}"\n`);
  // PgBouncer's user may lack read permission on the database's folder.
  const certificate = write('server.crt', readFileSync(database.searchParams.get('sslrootcert') as string, 'utf8'));
  const settings = Object.entries(options.sessionSettings).map(([setting, value]) => `SET ${setting} = ''${value}''`);
  const target = [`host=${database.hostname}`, `port=${database.port}`, `dbname=${name}`];
  const file = write(
    'pgbouncer.ini',
    `[databases]
${name} = ${target.join(' ')} connect_query='${settings.join('; ')}'

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${users}
stats_users = ${database.username}
pool_mode = transaction
default_pool_size = ${options.poolSize}
max_client_conn = 1000
query_wait_timeout = ${options.waitSeconds}
server_tls_sslmode = verify-full
server_tls_ca_file = ${certificate}
# Reconnect 1 s after a failed login instead of 15 s, so that it recovers quickly from a failover.
server_login_retry = 1
`,
  );
  const [command, ...args] = user.command('pgbouncer', [file]);
  const pgbouncer = startProgram(command, args, join(dir, 'pgbouncer.log'));
  const stop = () => pgbouncer.end('SIGTERM');
  const url = `postgres://${database.username}:${database.password}@localhost:${port}/${name}`;
  try {
    await pgbouncer.waitUntil('answering', async () => (await ask(url, 'SELECT 1')).length === 1);
  } catch (error) {
    await stop();
    throw error;
  }
  const clients = async () => {
    const pools = await ask<Pool>(url.replace(/\w+$/, 'pgbouncer'), 'SHOW POOLS');
    const ours = pools.filter((pool) => pool.database === name);
    return ours.reduce((sum, { cl_active, cl_waiting }) => sum + Number(cl_active) + Number(cl_waiting), 0);
  };
  return { pid: pgbouncer.pid, port, url, clients: () => clients().catch(() => undefined), stop };
}

/** @see https://www.pgbouncer.org/usage.html#show-pools */
interface Pool {
  readonly database: string;
  readonly cl_active: string;
  readonly cl_waiting: string;
}

async function ask<Row>(connectionString: string, sql: string): Promise<Row[]> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}
