import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Client } from 'pg';
import { freePort } from '../../support/processes';
import { serverUser } from './postgres-user';
import { startProgram } from './program';

export interface PgbouncerOptions {
  /** Folder of its configuration and its log. Made when missing. */
  readonly dir: string;
  /** Connection string of the database, with TLS and a password; what is kept of its sessions are those that this opens. */
  readonly database: string;
  /** Connections that it opens to the database at most. */
  readonly poolSize: number;
  /** Seconds that a client waits for one of them at most. */
  readonly waitSeconds: number;
  /** Settings of each session with the database, such as `{ statement_timeout: '5s' }`; clients may bring none. */
  readonly sessionSettings: Readonly<Record<string, string>>;
}

/** A running PgBouncer; a real one, of the system. */
export interface Pgbouncer {
  readonly pid: number;
  readonly port: number;
  /** Connection string for clients: without TLS, with the password of the database. */
  readonly url: string;
  /** Connections of clients now; undefined while it cannot be asked. */
  clients(): Promise<number | undefined>;
  /** Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Starts PgBouncer in the place of RDS Proxy: many connections of clients share few to the database, from transaction to
 * transaction. It stops by itself when this process dies.
 *
 * @throws when pgbouncer is not here or does not start; with the end of its log
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
  // Its user may not be able to read where the database keeps its certificate.
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
# After a failover, and not 15 s later.
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
