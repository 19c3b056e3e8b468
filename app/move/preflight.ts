import { statfs } from 'node:fs/promises';
import type { DatabaseClient } from '../data/db';
import { MoveError } from './errors';
import type { Source } from './source';
import { listTables, movedTables } from './tables';
import { foreignRows, type Target } from './target';

/** Seconds by which the clocks of the two servers may differ: sessions end and jobs are due by them. */
const MAX_CLOCK_DIFFERENCE = 5;

/** Share of the source's disk that must be free: the log is kept while the copy is made. */
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
 * Looks for whatever would stop a move halfway, and changes nothing. Returns the size of the source in bytes.
 *
 * @throws MoveError with a line for each thing to mend
 */
export async function preflight(source: Source, target: Target): Promise<number> {
  await checkSuperuser(source.session);
  const [{ rows: from }, { rows: to }] = await Promise.all([
    source.session.query<Server>(SERVER),
    target.session.query<Server>(SERVER),
  ]);
  const [here, there] = [from[0] as Server, to[0] as Server];
  const problems = [
    ...sameKind(here, there),
    ...(await sourceServer(source.session)),
    ...(await sourceTables(source.session)),
    ...(await extensions(source.session, target.session)),
    ...(await disk(source.session)),
    ...(await targetServer(target)),
  ];
  if (problems.length > 0) throw new MoveError(problems.join('\n'));
  return Number(here.bytes);
}

function sameKind(source: Server, target: Server): string[] {
  const problems: string[] = [];
  if (source.version !== target.version) {
    problems.push(
      `the source is PostgreSQL ${source.version}, the target ${target.version}: they must be of one major version`,
    );
  }
  if (source.encoding !== target.encoding) {
    problems.push(`the source is in ${source.encoding}, the target in ${target.encoding}`);
  }
  const difference = Math.abs(source.epoch - target.epoch);
  if (difference > MAX_CLOCK_DIFFERENCE) {
    problems.push(`the clocks differ by ${difference.toFixed(1)} s, allowed: ${MAX_CLOCK_DIFFERENCE} s`);
  }
  return problems;
}

/** Others may not even see what the rest looks at. */
async function checkSuperuser(session: DatabaseClient): Promise<void> {
  const { rows } = await session.query('SELECT rolsuper AS superuser FROM pg_roles WHERE rolname = current_user');
  if (!rows[0].superuser) throw new MoveError('MOVE_FROM_URL: its user must be a superuser of the source');
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
    problems.push(`the source has wal_level=${server.walLevel}, needed: logical (and a restart)`);
  }
  if (server.slots < 2) problems.push(`the source has ${server.slots} free replication slots, needed: 2`);
  if (server.senders < 1) problems.push('the source has no free WAL sender (max_wal_senders)');
  if (server.prepared > 0)
    problems.push(`the source has ${server.prepared} prepared transactions: commit or roll them back`);
  if (server.large > 0) problems.push(`the source has ${server.large} large objects, which its log does not hold`);
  return problems;
}

async function sourceTables(session: DatabaseClient): Promise<string[]> {
  const tables = await listTables(session);
  const { rows: elsewhere } = await session.query(
    `SELECT schemaname || '.' || tablename AS name FROM pg_tables
     WHERE schemaname NOT IN ('public', 'pg_catalog', 'information_schema') ORDER BY 1`,
  );
  return [
    ...(movedTables(tables).length === 0 ? ['the source holds no tables of the shop'] : []),
    ...tables.filter(({ kind }) => kind !== 'r').map(({ name }) => `${name} at the source is no ordinary table`),
    // Without one, PostgreSQL would refuse the shop's updates as soon as the log is kept.
    ...movedTables(tables)
      .filter(({ key }) => key.length === 0)
      .map(({ name }) => `${name} at the source has no primary key`),
    ...elsewhere.map(({ name }) => `${name} at the source is in another schema than public`),
  ];
}

async function extensions(source: DatabaseClient, target: DatabaseClient): Promise<string[]> {
  const { rows: used } = await source.query('SELECT extname AS name FROM pg_extension');
  const { rows: there } = await target.query('SELECT name FROM pg_available_extensions');
  const available = new Set(there.map(({ name }) => name));
  return used
    .filter(({ name }) => !available.has(name))
    .map(({ name }) => `the target does not have the extension ${name} of the source`);
}

/** Only where the source's disk is this machine's, as on the box. */
async function disk(session: DatabaseClient): Promise<string[]> {
  const { rows } = await session.query('SHOW data_directory');
  const found = await statfs(rows[0].data_directory).catch(() => undefined);
  if (found === undefined) return [];
  const free = found.bavail / found.blocks;
  return free < MIN_FREE_DISK
    ? [`the disk of the source is ${Math.round((1 - free) * 100)}% full, allowed: ${(1 - MIN_FREE_DISK) * 100}%`]
    : [];
}

async function targetServer(target: Target): Promise<string[]> {
  const problems: string[] = [];
  const { rows } = await target.session.query(
    `SELECT pg_has_role(datdba, 'USAGE') AS owns, pg_is_in_recovery() AS replica FROM pg_database
     WHERE datname = current_database()`,
  );
  if (!rows[0].owns) problems.push('the user of the target must own its database');
  if (rows[0].replica) problems.push('the target is a replica');
  await target.session.query('SET session_replication_role = replica').catch((error: Error) => {
    problems.push(
      `the user of the target may not switch foreign keys off (${error.message}): ` +
        'as a superuser, GRANT SET ON PARAMETER session_replication_role to it',
    );
  });
  if ((await target.step()) === undefined) {
    const full = await foreignRows(target.session);
    if (full.length > 0) problems.push(`the target holds rows that no move brought: ${full.join(', ')}`);
  }
  return problems;
}
