import { statfs } from 'node:fs/promises';
import type { DatabaseClient } from '../data/db';
import { MoveError } from './errors';
import type { Source } from './source';
import { listTables, movedTables } from './tables';
import { nonEmptyTables, type Target } from './target';

/** Maximum difference of the clocks in seconds: session expiry and due times of jobs depend on them. */
const MAX_CLOCK_DIFFERENCE = 5;

/** Minimum free share of the source's disk: the slot retains WAL during the copy. */
const MIN_FREE_DISK = 0.1;

interface Server {
  readonly version: number;
  readonly encoding: string;
  readonly bytes: string;
  readonly epoch: number;
}

const SERVER = `
  SELECT current_setting('server_version_num')::int / 10000 AS version, current_setting('server_encoding') AS encoding,
         pg_database_size(current_database()) AS bytes, extract(epoch FROM clock_timestamp())::float8 AS epoch`;

/**
 * Checks the requirements of a move without changing anything. Returns the size of the source in bytes.
 *
 * @throws MoveError with one line per unmet requirement
 */
export async function preflight(source: Source, target: Target): Promise<number> {
  await checkSuperuser(source.session);
  const [{ rows: from }, { rows: to }] = await Promise.all([
    source.session.query<Server>(SERVER),
    target.session.query<Server>(SERVER),
  ]);
  const [atSource, atTarget] = [from[0] as Server, to[0] as Server];
  const problems = [
    ...compatibility(atSource, atTarget),
    ...(await sourceServer(source.session)),
    ...(await sourceTables(source.session)),
    ...(await extensions(source.session, target.session)),
    ...(await disk(source.session)),
    ...(await targetServer(target)),
  ];
  if (problems.length > 0) throw new MoveError(problems.join('\n'));
  return Number(atSource.bytes);
}

function compatibility(source: Server, target: Server): string[] {
  const problems: string[] = [];
  if (source.version !== target.version) {
    problems.push(
      `source and target must have the same major version, got PostgreSQL ${source.version} and ${target.version}`,
    );
  }
  if (source.encoding !== target.encoding) {
    problems.push(`source and target must have the same encoding, got ${source.encoding} and ${target.encoding}`);
  }
  const difference = Math.abs(source.epoch - target.epoch);
  if (difference > MAX_CLOCK_DIFFERENCE) {
    problems.push(`the clocks must differ by at most ${MAX_CLOCK_DIFFERENCE} s, got ${difference.toFixed(1)} s`);
  }
  return problems;
}

/** The other checks require a superuser. */
async function checkSuperuser(session: DatabaseClient): Promise<void> {
  const { rows } = await session.query('SELECT rolsuper AS superuser FROM pg_roles WHERE rolname = current_user');
  if (!rows[0].superuser) throw new MoveError('the user of MOVE_FROM_URL must be a superuser of the source');
}

async function sourceServer(session: DatabaseClient): Promise<string[]> {
  const { rows } = await session.query(
    `SELECT current_setting('wal_level') AS "walLevel",
            current_setting('max_replication_slots')::int
              - (SELECT count(*) FROM pg_replication_slots WHERE slot_name NOT LIKE 'shop_move%') AS slots,
            current_setting('max_wal_senders')::int - (SELECT count(*) FROM pg_stat_replication) AS senders,
            (SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database()) AS prepared,
            (SELECT count(*) FROM pg_largeobject_metadata) AS large`,
  );
  const [server] = rows;
  const problems: string[] = [];
  if (server.walLevel !== 'logical') {
    problems.push(`wal_level of the source must be logical, got ${server.walLevel}. Set it and restart the source`);
  }
  if (server.slots < 2) problems.push(`the source must have 2 free replication slots, got ${server.slots}`);
  if (server.senders < 1) problems.push('the source must have a free WAL sender, got none: raise max_wal_senders');
  if (server.prepared > 0)
    problems.push(`the source must have no prepared transactions, got ${server.prepared}: commit or roll them back`);
  if (server.large > 0)
    problems.push(`the source must have no large objects, got ${server.large}: logical decoding omits them`);
  return problems;
}

async function sourceTables(session: DatabaseClient): Promise<string[]> {
  const tables = await listTables(session);
  const { rows: elsewhere } = await session.query(
    `SELECT schemaname || '.' || tablename AS name FROM pg_tables
     WHERE schemaname NOT IN ('public', 'pg_catalog', 'information_schema') ORDER BY 1`,
  );
  return [
    ...(movedTables(tables).length === 0 ? ['the source has no tables of the shop'] : []),
    ...tables.filter(({ kind }) => kind !== 'r').map(({ name }) => `${name} of the source must be an ordinary table`),
    // PostgreSQL rejects updates of a published table without a primary key.
    ...movedTables(tables)
      .filter(({ key }) => key.length === 0)
      .map(({ name }) => `table ${name} of the source must have a primary key`),
    ...elsewhere.map(({ name }) => `table ${name} of the source must be in the schema public`),
  ];
}

async function extensions(source: DatabaseClient, target: DatabaseClient): Promise<string[]> {
  const { rows: used } = await source.query('SELECT extname AS name FROM pg_extension');
  const { rows: found } = await target.query('SELECT name FROM pg_available_extensions');
  const available = new Set(found.map(({ name }) => name));
  return used
    .filter(({ name }) => !available.has(name))
    .map(({ name }) => `the target must provide the extension ${name} of the source`);
}

/** Only if the data directory is on this machine, as on the instance of phase 1. */
async function disk(session: DatabaseClient): Promise<string[]> {
  const { rows } = await session.query('SHOW data_directory');
  const found = await statfs(rows[0].data_directory).catch(() => undefined);
  if (found === undefined) return [];
  const free = found.bavail / found.blocks;
  return free < MIN_FREE_DISK
    ? [
        `the disk of the source must be at most ${(1 - MIN_FREE_DISK) * 100}% full, got ${Math.round((1 - free) * 100)}%`,
      ]
    : [];
}

async function targetServer(target: Target): Promise<string[]> {
  const problems: string[] = [];
  const { rows } = await target.session.query(
    `SELECT pg_has_role(datdba, 'USAGE') AS owns, pg_is_in_recovery() AS replica FROM pg_database
     WHERE datname = current_database()`,
  );
  if (!rows[0].owns) problems.push('the user of the target must own its database');
  if (rows[0].replica) problems.push('the target must not be a replica');
  await target.session.query('SET session_replication_role = replica').catch((error: Error) => {
    problems.push(
      `the user of the target must be allowed to disable foreign keys (${error.message}): ` +
        'GRANT SET ON PARAMETER session_replication_role to it as a superuser',
    );
  });
  if ((await target.step()) === undefined) {
    const tables = await nonEmptyTables(target.session);
    if (tables.length > 0) problems.push(`the target must be empty, got rows in ${tables.join(', ')}`);
  }
  return problems;
}
