import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import type { DatabaseClient } from '../../app/data/db';
import { contents, differences } from '../../app/move/compare';
import { streamCopy } from '../../app/move/copy';
import { disconnect, openSession } from '../../app/move/session';
import { listTables, movedTables } from '../../app/move/tables';
import { type MoveEnd, type MoveProcessOptions, runMove } from '../../tools/rehearsal/programs/move';
import { type Postgres, startPostgres } from '../../tools/rehearsal/programs/postgres';
import { startShop } from '../../tools/rehearsal/programs/shop-process';
import { type AppBundle, buildApp } from '../../tools/support/app-bundle';
import { freePort } from '../../tools/support/processes';
import { copyEmptyCluster } from '../support/empty-cluster';
import { eventually, expectNotReady, serverEnv, sql } from '../support/shop';

/** Checks and rollback of the data migration. test/tools/bench/move.test.ts covers data loss and kills. */
let dir: string;
let bundle: AppBundle;
let from: Postgres;
let to: Postgres;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'shop-move-'));
  bundle = buildApp(join(dir, 'bundle'));
  const settings = { fsync: 'off', wal_level: 'logical' };
  for (const side of ['from', 'to']) await copyEmptyCluster(join(dir, side));
  from = await startPostgres({ dir: join(dir, 'from'), settings });
  to = await startPostgres({ dir: join(dir, 'to'), access: 'tls', settings });
  await fill();
});

afterAll(async () => {
  await from?.stop();
  await to?.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** One side of a migration: a server with a dedicated database. */
function side(postgres: Postgres, database: string): Postgres {
  return {
    ...postgres,
    url: () => postgres.url(database),
    adminUrl: () => postgres.adminUrl(database),
  };
}

let count = 0;
/** Creates a source with the tables of the shop and some orders, and an empty target. */
async function sides(): Promise<{ from: Postgres; to: Postgres }> {
  count += 1;
  const name = `shop${count}`;
  await sql(from.adminUrl('postgres'), `CREATE DATABASE ${name} TEMPLATE filled OWNER shop`);
  await to.createDatabase(name);
  return { from: side(from, name), to: side(to, name) };
}

/** Creates the initial data of {@link sides}. */
async function fill(): Promise<void> {
  await from.createDatabase('filled');
  const database = side(from, 'filled');
  await (await serve(database)).stop();
  await sql(
    database.adminUrl(),
    `INSERT INTO users (email, password_hash) SELECT i || '@example.com', 'it''s \\ a hash' FROM generate_series(1, 10) i;
     INSERT INTO orders (user_id, idempotency_key, total_cents) SELECT id, i::text, 5 FROM users, generate_series(1, 20) i;
     INSERT INTO jobs (kind, order_id) SELECT 'receipt', id FROM orders;
     INSERT INTO sessions SELECT 'big', to_json(string_agg(md5(i::text), '')), now() FROM generate_series(1, 500) i`,
  );
}

function serve(database: Postgres) {
  return startShop({ bundle, log: join(dir, 'shop.log'), env: serverEnv(database.url()) });
}

const move = (pair: { from: Postgres; to: Postgres }, more: Partial<MoveProcessOptions> = {}): Promise<MoveEnd> =>
  runMove({ bundle, ...pair, ...more });

/** Runs a statement as the superuser. A closed database is read-only for the superuser, too. */
const change = (database: Postgres, text: string) =>
  sql(`${database.adminUrl()}&options=-c%20default_transaction_read_only%3Doff`, text);

/** Whether an ordinary session of the shop can write. */
async function acceptsWrites(database: Postgres): Promise<boolean> {
  return sql(database.url(), `UPDATE products SET stock = stock WHERE id = 1`).then(
    () => true,
    (error) => {
      expect(error.code).toBe('25006');
      return false;
    },
  );
}

const replicationObjects = (database: Postgres) =>
  sql(
    database.adminUrl(),
    `SELECT slot_name AS name FROM pg_replication_slots WHERE database = current_database() UNION ALL SELECT pubname FROM pg_publication`,
  );

test('a prepared target rejects the shop until the data has moved, then accepts writes, and the source is read-only', async () => {
  const pair = await sides();
  expect((await move(pair, { command: 'status' })).code).toBe(0);
  expect((await move(pair, { command: 'prepare' })).code).toBe(0);
  expect((await move(pair, { command: 'status' })).code).toBe(3);
  expect(await acceptsWrites(pair.to)).toBe(false);
  const reason = /cannot execute .* in a read-only transaction/;
  await expectNotReady(bundle, join(dir, 'refused.log'), serverEnv(pair.to.url()), reason);

  const { code, moved, stderr } = await move(pair);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(moved?.tables.find(({ table }) => table === 'orders')).toMatchObject({ rows: 200 });
  expect(moved?.pauseSeconds).toBeGreaterThan(0);
  expect((await move(pair, { command: 'status' })).code).toBe(0);
  expect([await acceptsWrites(pair.from), await acceptsWrites(pair.to)]).toEqual([false, true]);
  expect(await replicationObjects(pair.from)).toEqual([]);

  // Sequences continue from their values at the source.
  const next = `INSERT INTO jobs (kind, order_id) SELECT 'receipt', id FROM orders LIMIT 1 RETURNING id::int`;
  expect((await sql(pair.to.url(), next))[0].id).toBe(201);
  await (await serve(pair.to)).stop();

  expect(await move(pair, { command: 'prepare' })).toMatchObject({
    code: 1,
    stderr: 'the target is already open: use run to finish the move\n',
  });
  expect(await move(pair)).toMatchObject({ code: 0, moved: { followed: 0 } });
  // The target has already run jobs, so a rollback is no longer possible.
  expect(await move(pair, { command: 'back' })).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^the target has been written to since it was opened:\njobs: /),
  });
  expect([await acceptsWrites(pair.from), await acceptsWrites(pair.to)]).toEqual([false, true]);
  await resume(pair.from);
});

test('an opened target without writes is closed again, and the source resumes writes', async () => {
  const pair = await sides();
  expect((await move(pair)).code).toBe(0);
  expect((await move(pair, { command: 'back' })).code).toBe(0);
  expect([await acceptsWrites(pair.from), await acceptsWrites(pair.to)]).toEqual([true, false]);
  expect(await replicationObjects(pair.from)).toEqual([]);
  expect(await move(pair)).toMatchObject({ code: 0, moved: { tables: expect.anything() } });
  await resume(pair.from);
});

test('a copy that differs from the source is detected, and the source resumes writes', async () => {
  const pair = await sides();
  await move(pair, { command: 'prepare' });
  // The mover disables ordinary triggers.
  await change(
    pair.to,
    `CREATE FUNCTION spoil() RETURNS trigger AS $$ BEGIN NEW.total_cents = 6; RETURN NEW; END $$ LANGUAGE plpgsql;
     CREATE TRIGGER spoil BEFORE INSERT ON orders FOR EACH ROW WHEN (NEW.idempotency_key = '7') EXECUTE FUNCTION spoil();
     ALTER TABLE orders ENABLE ALWAYS TRIGGER spoil`,
  );
  const end = await move(pair);
  expect(end).toMatchObject({
    code: 1,
    stderr: 'source and target differ:\norders: 200 rows with different content\n',
  });
  expect([await acceptsWrites(pair.from), await acceptsWrites(pair.to)]).toEqual([true, false]);
  expect(await replicationObjects(pair.from)).toEqual([]);
});

test('a write during the pause is detected, and the source resumes writes', async () => {
  const pair = await sides();
  // Enough rows that the comparison still runs when this process receives its event.
  await change(
    pair.from,
    `INSERT INTO sessions (sid, sess, expire) SELECT md5(i::text), '{}', now() + interval '1 day' FROM generate_series(1, 200000) i`,
  );
  const writer = new Client({ connectionString: pair.from.adminUrl(), application_name: 'shop-move' });
  await writer.connect();
  await writer.query('SET default_transaction_read_only = off');
  let writing: Promise<unknown> | undefined;
  const end = await move(pair, {
    onEvent: ({ step }) => {
      const sale = `UPDATE products SET stock = stock + 1 WHERE id = 1`;
      if (step === 'verify')
        writing ??= writer.query(`DO $$ BEGIN FOR i IN 1..200 LOOP ${sale}; COMMIT; END LOOP; END $$`);
    },
  });
  await writing;
  await writer.end();
  expect(end).toMatchObject({ code: 1, stderr: expect.stringMatching(/differ:\nproducts|written at the source/) });
  expect([await acceptsWrites(pair.from), await acceptsWrites(pair.to)]).toEqual([true, false]);
});

test('a pause that exceeds its limit is aborted, and the next run resumes the copy with every kind of change', async () => {
  const pair = await sides();
  // A row lock keeps the mover from ending the pause.
  const busy = new Client({ connectionString: pair.from.url() });
  busy.on('error', () => {});
  await busy.connect();
  const sleeping = busy.query('SELECT pg_sleep(30)').catch(() => {});
  const end = await move(pair, { maxPause: 0.4 });
  expect(end).toMatchObject({ code: 1, stderr: 'the pause exceeded its limit of 0.4 s\n' });
  expect(end.events.map(({ step }) => step)).toContain('pause');
  expect([await acceptsWrites(pair.from), await acceptsWrites(pair.to)]).toEqual([true, false]);
  await busy.end();
  await sleeping;

  for (const written of [
    `UPDATE orders SET status = 'fulfilled' WHERE idempotency_key = '3'`,
    // The WAL omits unchanged TOAST values.
    `UPDATE sessions SET expire = expire + interval '1 day'`,
    `INSERT INTO users (email, password_hash) VALUES ('new', E'a ''\\\\ \\n\\t✓')`,
    `UPDATE users SET id = gen_random_uuid() WHERE email = 'new'`,
    `DELETE FROM jobs WHERE id < 5`,
    // One transaction with more changes than one batch.
    `INSERT INTO carts SELECT FROM generate_series(1, 700)`,
  ]) {
    await sql(pair.from.url(), written);
  }
  const again = await move(pair);
  expect(again).toMatchObject({ code: 0, moved: { followed: 7 } });
  // The copy of the previous run was valid.
  expect(again.events.map(({ step }) => step)).not.toContain('copy');
  await resume(pair.from);
});

test('when comparing all rows takes too long, only changed rows are compared, by keys of any number of columns', async () => {
  const pair = await sides();
  await sql(
    pair.from.url(),
    `INSERT INTO order_items SELECT id, p, 'a thing', 5, 1 FROM orders, generate_series(1, 2) p;
     UPDATE order_items SET quantity = 9 WHERE product_id = 2`,
  );
  const [{ order_id: id }] = await sql(pair.from.url(), 'SELECT order_id FROM order_items LIMIT 1');
  const session = await openSession({ connectionString: pair.from.url() });
  const tables = movedTables(await listTables(session)).filter(({ name }) => /^(order_items|users)$/.test(name));
  const read = (keys: string[][]) =>
    contents(session, tables, new Map([['order_items', new Map(keys.map((key) => [key.join(), key]))]]));
  try {
    const [one, two] = [await read([[id, '1']]), await read([[id, '2']])];
    expect([one, two]).toMatchObject(Array(2).fill([{ rows: 1 }, { table: 'users', rows: 0, checksum: '0' }]));
    expect(differences(one, two)).toEqual(['order_items: 1 rows with different content']);
    expect(
      await read([
        [id, '1'],
        [id, '2'],
        [id, '3'],
      ]),
    ).toMatchObject([{ rows: 2 }, { rows: 0 }]);
  } finally {
    await session.end();
  }
});

test('a change that the copy rejects is detected, the source resumes writes, and the next run makes a new copy', async () => {
  const [pair, another] = [await sides(), await sides()];
  const stopped = await move(pair, {
    onEvent: ({ step }, child) => {
      if (step === 'follow') child.kill('SIGKILL');
    },
  });
  expect(stopped.code).toBeNull();
  await change(pair.to, `DELETE FROM orders WHERE idempotency_key = '1'`);
  await sql(pair.from.url(), `UPDATE orders SET status = 'fulfilled'`);
  expect(await move(pair)).toMatchObject({
    code: 1,
    stderr: 'a change cannot be applied to the copy: update in orders\n',
  });
  expect([await acceptsWrites(pair.from), await acceptsWrites(pair.to)]).toEqual([true, false]);
  expect(await replicationObjects(pair.from)).toEqual([]);
  expect((await move(pair)).code).toBe(0);

  // A migration to another target must not resume this one.
  expect(await move({ from: pair.from, to: another.to })).toMatchObject({
    code: 1,
    stderr: 'the source is read-only, but not because of a move to this target: run "back" to resume writes\n',
  });
  await resume(pair.from);
});

test('resumes writes on SIGTERM', async () => {
  const pair = await sides();
  const end = await move(pair, {
    onEvent: ({ step }, child) => {
      // Signal only once: the last line has the same step, and the handler is removed at the end.
      if (step === 'drain' && !child.killed) child.kill('SIGTERM');
    },
  });
  // The migration may have finished before the signal.
  const opened = end.code === 0;
  expect([await acceptsWrites(pair.from), await acceptsWrites(pair.to)]).toEqual([!opened, opened]);
  expect([0, 1]).toContain(end.code);
  await resume(pair.from);
});

test('two migrations never run at once, and source and target must differ', async () => {
  const [one, other] = [await sides(), await sides()];
  const first = new Client({ connectionString: one.from.adminUrl() });
  await first.connect();
  await first.query('SELECT pg_advisory_lock(7354911028)');
  const ends = await Promise.all([
    move(one),
    move({ from: other.from, to: { ...other.from, url: other.from.adminUrl } }),
  ]);
  await first.end();
  expect(ends).toMatchObject([
    { code: 1, stderr: 'another move of this database is running\n' },
    { code: 1, stderr: 'source and target are the same database, or another move to the target is running\n' },
  ]);
});

describe('rejects, with one line per reason,', () => {
  test('a source that cannot be replicated', async () => {
    const pair = await sides();
    await sql(
      pair.from.adminUrl(),
      'CREATE TABLE notes (text text); CREATE SCHEMA other; CREATE TABLE other.things (id int)',
    );
    await sql(pair.from.adminUrl(), 'SELECT lo_create(0)');
    expect(await move(pair)).toMatchObject({
      code: 1,
      stderr:
        'the source must have no large objects, got 1: logical decoding omits them\n' +
        'table notes of the source must have a primary key\n' +
        'table other.things of the source must be in the schema public\n',
    });
    expect(await replicationObjects(pair.from)).toEqual([]);
  });

  test('a user without superuser rights, and a target that contains rows', async () => {
    const pair = await sides();
    expect(await move({ ...pair, from: { ...pair.from, adminUrl: pair.from.url } })).toMatchObject({
      code: 1,
      stderr: 'the user of MOVE_FROM_URL must be a superuser of the source\n',
    });
    await sql(pair.to.url(), `CREATE TABLE kept (id int); INSERT INTO kept VALUES (1)`);
    expect((await move(pair)).stderr).toBe('the target must be empty, got rows in kept\n');
  });

  test('a server that does not respond', async () => {
    const pair = await sides();
    const unreachable = `postgres://shop@127.0.0.1:${await freePort()}/shop`;
    expect(await move({ ...pair, to: { ...pair.to, url: () => unreachable } })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^cannot connect to the target: .*ECONNREFUSED.*\n$/),
    });
  });

  test('a target of another version of the app', async () => {
    const pair = await sides();
    await sql(pair.from.adminUrl(), 'ALTER TABLE users ADD COLUMN nickname text');
    expect((await move(pair)).stderr).toMatch(/^tables of source and target differ: users\. /);
  });

  test.each([
    [[], {}, 'COMMAND must be one of prepare, run, back, status, got "". See --help.'],
    [['go'], {}, 'COMMAND must be one of prepare, run, back, status, got "go". See --help.'],
    [['run', '--max-pause', '0'], {}, '--max-pause must be a number from 0.1 to 3600 (seconds), got 0.'],
    [['run'], {}, 'DATABASE_URL or DATABASE_SECRET_ARN must be set.'],
    [['run'], { DATABASE_URL: 'postgres:///x' }, 'MOVE_FROM_URL must be set.'],
    [['run'], { DATABASE_URL: 'postgres:///x', MOVE_FROM_URL: 'secret' }, 'MOVE_FROM_URL must be a postgres:// URL.'],
  ])('%j with %j', async (args, env, line) => {
    const { code, stderr } = await runMoveCli(args, env);
    expect({ code, stderr }).toEqual({ code: 2, stderr: `${line}\n` });
  });

  function runMoveCli(args: string[], env: Record<string, string>): Promise<{ code: number | null; stderr: string }> {
    return new Promise((resolve) => {
      const options = { env: { PATH: process.env.PATH, ...env }, timeout: 300_000 };
      const child = execFile(
        process.execPath,
        [join(bundle.dir, 'move.js'), ...args],
        options,
        (_error, _out, stderr) => resolve({ code: child.exitCode, stderr }),
      );
    });
  }
});

/** Resumes writes. A pause affects all databases of the server, and the next test needs them. */
async function resume(database: Postgres): Promise<void> {
  await sql(database.adminUrl(), 'ALTER SYSTEM RESET default_transaction_read_only');
  await sql(database.adminUrl(), 'SELECT pg_reload_conf()');
  await eventually(async () => acceptsWrites(database));
}

describe('the copy of a table', () => {
  const ROWS = 100_000;
  let source: DatabaseClient;
  let target: DatabaseClient;

  beforeAll(async () => {
    await from.createDatabase('copies');
    await to.createDatabase('copies');
  });

  beforeEach(async () => {
    source = await openSession({ connectionString: from.adminUrl('copies') });
    target = await openSession({ connectionString: to.url('copies') });
    await target.query('DROP TABLE IF EXISTS copied; CREATE TABLE copied (id int PRIMARY KEY, line text)');
  });

  afterEach(() => Promise.all([source.end(), target.end()]));

  /** @param column an SQL expression for the second column of row `i` */
  function copy(column: string, onChunk: Parameters<typeof streamCopy>[2] = () => {}): Promise<void> {
    const rows = `SELECT i, ${column} FROM generate_series(1, ${ROWS}) i`;
    return streamCopy(
      { session: source, sql: `COPY (${rows}) TO STDOUT` },
      { session: target, sql: 'COPY copied FROM STDIN' },
      onChunk,
    );
  }

  const count = async () => Number((await target.query('SELECT count(*) FROM copied')).rows[0].count);

  test('copies every row, counts rows and not line breaks, and leaves both sessions ready', async () => {
    const seen = { rows: 0, chunks: 0 };
    await copy(`E'a line\\nand another\\\\' || i`, (rows) => {
      seen.rows += rows;
      seen.chunks += 1;
    });
    expect(seen.rows).toBe(ROWS);
    expect(seen.chunks).toBeGreaterThan(10);
    expect(await count()).toBe(ROWS);
    expect((await target.query('SELECT line FROM copied WHERE id = 7')).rows[0].line).toBe('a line\nand another\\7');
    expect((await source.query('SELECT 1 AS one')).rows[0].one).toBe(1);
  });

  test('copies an empty table', async () => {
    await streamCopy(
      { session: source, sql: 'COPY (SELECT 1, NULL WHERE false) TO STDOUT' },
      { session: target, sql: 'COPY copied FROM STDIN' },
      () => {},
    );
    expect(await count()).toBe(0);
  });

  test('a slow target applies backpressure to the source', async () => {
    await target.query(
      `CREATE OR REPLACE FUNCTION wait() RETURNS trigger AS $$ BEGIN PERFORM pg_sleep(2); RETURN NEW; END $$ LANGUAGE plpgsql;
       CREATE TRIGGER wait BEFORE INSERT ON copied FOR EACH ROW WHEN (NEW.id = 1000) EXECUTE FUNCTION wait()`,
    );
    const seen = { rows: 0 };
    const copying = copy(`repeat('x', 500)`, (rows) => {
      seen.rows += rows;
    });
    await sleep(1_500);
    expect(seen.rows).toBeLessThan(ROWS / 2);
    await copying;
    expect(await count()).toBe(ROWS);
  });

  test('an error of the source ends the copy, and the target keeps no row', async () => {
    await expect(copy(`(1 / (i - ${ROWS / 2}))::text`)).rejects.toThrow('division by zero');
    expect(await count()).toBe(0);
  });

  test('an error of the target ends the copy', async () => {
    await target.query(`ALTER TABLE copied ADD CHECK (id < ${ROWS / 4})`);
    await expect(copy(`'line'`)).rejects.toThrow('violates check constraint');
    expect(await count()).toBe(0);
  });

  test('a target that rejects the statement ends the copy', async () => {
    await target.query('DROP TABLE copied');
    await expect(copy(`'line'`)).rejects.toThrow('relation "copied" does not exist');
  });

  test.each([
    ['source', () => [source]],
    ['target', () => [target]],
    ['source and target', () => [source, target]],
    ['target and source', () => [target, source]],
  ])('a lost connection of the %s ends the copy', async (_side, sessions) => {
    let chunks = 0;
    const copying = copy(`'line'`, () => {
      chunks += 1;
      if (chunks === 5) for (const session of sessions()) disconnect(session);
    });
    await expect(copying).rejects.toThrow('Connection terminated');
  });
});
