import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { contents, differences } from '../../app/move/compare';
import { openSession } from '../../app/move/session';
import { listTables, movedTables } from '../../app/move/tables';
import { type MoveEnd, type MoveProcessOptions, runMove } from '../../tools/rehearsal/programs/move';
import { type Postgres, startPostgres } from '../../tools/rehearsal/programs/postgres';
import { startShop } from '../../tools/rehearsal/programs/shop-process';
import { type AppBundle, buildApp } from '../../tools/support/app-bundle';
import { freePort } from '../../tools/support/processes';
import { eventually, notReady, serverEnv, sql } from '../support/shop';

/** What the mover refuses, and how it takes back. That it loses nothing, killed or not, is tried in test/tools/bench/move.test.ts. */
let dir: string;
let bundle: AppBundle;
let from: Postgres;
let to: Postgres;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'shop-move-'));
  bundle = buildApp(join(dir, 'bundle'));
  const settings = { fsync: 'off', wal_level: 'logical' };
  from = await startPostgres({ dir: join(dir, 'from'), settings });
  to = await startPostgres({ dir: join(dir, 'to'), access: 'tls', settings });
  await fill();
});

afterAll(async () => {
  await from?.stop();
  await to?.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** One side of a move: a server, and a database of its own on it. */
function side(postgres: Postgres, database: string): Postgres {
  return {
    ...postgres,
    url: () => postgres.url(database),
    adminUrl: () => postgres.adminUrl(database),
  };
}

let count = 0;
/** A source with the shop's tables and some orders, and a target without anything. */
async function sides(): Promise<{ from: Postgres; to: Postgres }> {
  count += 1;
  const name = `shop${count}`;
  await sql(from.adminUrl('postgres'), `CREATE DATABASE ${name} TEMPLATE filled OWNER shop`);
  await to.createDatabase(name);
  return { from: side(from, name), to: side(to, name) };
}

/** What {@link sides} begin with. */
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

/** As the superuser, whom a closed database lets only read as well. */
const change = (database: Postgres, text: string) =>
  sql(`${database.adminUrl()}&options=-c%20default_transaction_read_only%3Doff`, text);

/** What an ordinary session of the shop may do there. */
async function takesWrites(database: Postgres): Promise<boolean> {
  return sql(database.url(), `UPDATE products SET stock = stock WHERE id = 1`).then(
    () => true,
    (error) => {
      expect(error.code).toBe('25006');
      return false;
    },
  );
}

const leftBehind = (database: Postgres) =>
  sql(
    database.adminUrl(),
    `SELECT slot_name AS name FROM pg_replication_slots WHERE database = current_database() UNION ALL SELECT pubname FROM pg_publication`,
  );

test('a prepared target lets no shop in until the data is there; then it is open, and the source only reads', async () => {
  const pair = await sides();
  expect((await move(pair, { verb: 'status' })).code).toBe(0);
  expect((await move(pair, { verb: 'prepare' })).code).toBe(0);
  expect((await move(pair, { verb: 'status' })).code).toBe(3);
  expect(await takesWrites(pair.to)).toBe(false);
  const reason = /cannot execute .* in a read-only transaction/;
  await notReady(bundle, join(dir, 'refused.log'), serverEnv(pair.to.url()), reason);

  const { code, moved, stderr } = await move(pair);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(moved?.tables.find(({ table }) => table === 'orders')).toMatchObject({ rows: 200 });
  expect(moved?.pauseSeconds).toBeGreaterThan(0);
  expect((await move(pair, { verb: 'status' })).code).toBe(0);
  expect([await takesWrites(pair.from), await takesWrites(pair.to)]).toEqual([false, true]);
  expect(await leftBehind(pair.from)).toEqual([]);

  // Its sequences go on where those of the source were.
  const next = `INSERT INTO jobs (kind, order_id) SELECT 'receipt', id FROM orders LIMIT 1 RETURNING id::int`;
  expect((await sql(pair.to.url(), next))[0].id).toBe(201);
  await (await serve(pair.to)).stop();

  expect(await move(pair, { verb: 'prepare' })).toMatchObject({
    code: 1,
    stderr: 'the target is open already: run finishes the move\n',
  });
  expect(await move(pair)).toMatchObject({ code: 0, moved: { followed: 0 } });
  // Its jobs were done meanwhile, so there is no way back any more.
  expect(await move(pair, { verb: 'back' })).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^the target has been written to since it was opened:\njobs: /),
  });
  expect([await takesWrites(pair.from), await takesWrites(pair.to)]).toEqual([false, true]);
  await resume(pair.from);
});

test('an opened target that nobody wrote to is closed again, and the source goes on', async () => {
  const pair = await sides();
  expect((await move(pair)).code).toBe(0);
  expect((await move(pair, { verb: 'back' })).code).toBe(0);
  expect([await takesWrites(pair.from), await takesWrites(pair.to)]).toEqual([true, false]);
  expect(await leftBehind(pair.from)).toEqual([]);
  expect(await move(pair)).toMatchObject({ code: 0, moved: { tables: expect.anything() } });
  await resume(pair.from);
});

test('a copy that is not like the source is found, and the source goes on', async () => {
  const pair = await sides();
  await move(pair, { verb: 'prepare' });
  // The mover switches ordinary triggers off.
  await change(
    pair.to,
    `CREATE FUNCTION spoil() RETURNS trigger AS $$ BEGIN NEW.total_cents = 6; RETURN NEW; END $$ LANGUAGE plpgsql;
     CREATE TRIGGER spoil BEFORE INSERT ON orders FOR EACH ROW WHEN (NEW.idempotency_key = '7') EXECUTE FUNCTION spoil();
     ALTER TABLE orders ENABLE ALWAYS TRIGGER spoil`,
  );
  const end = await move(pair);
  expect(end).toMatchObject({
    code: 1,
    stderr: 'source and target differ:\norders: 200 rows with other content\n',
  });
  expect([await takesWrites(pair.from), await takesWrites(pair.to)]).toEqual([true, false]);
  expect(await leftBehind(pair.from)).toEqual([]);
});

test('what is written behind its back during the pause is found, and the source goes on', async () => {
  const pair = await sides();
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
  expect([await takesWrites(pair.from), await takesWrites(pair.to)]).toEqual([true, false]);
});

test('a pause that would be too long is given up; the next run takes the copy up where it was, with every kind of change', async () => {
  const pair = await sides();
  // Whoever holds a row keeps the mover from ending the pause.
  const busy = new Client({ connectionString: pair.from.url() });
  busy.on('error', () => {});
  await busy.connect();
  const sleeping = busy.query('SELECT pg_sleep(30)').catch(() => {});
  const end = await move(pair, { maxPause: 0.4 });
  expect(end).toMatchObject({ code: 1, stderr: 'the pause would have been longer than 0.4 s\n' });
  expect(end.events.map(({ step }) => step)).toContain('pause');
  expect([await takesWrites(pair.from), await takesWrites(pair.to)]).toEqual([true, false]);
  await busy.end();
  await sleeping;

  for (const written of [
    `UPDATE orders SET status = 'fulfilled' WHERE idempotency_key = '3'`,
    // The log does not repeat a big value that stays as it was.
    `UPDATE sessions SET expire = expire + interval '1 day'`,
    `INSERT INTO users (email, password_hash) VALUES ('new', E'a ''\\\\ \\n\\t✓')`,
    `UPDATE users SET id = gen_random_uuid() WHERE email = 'new'`,
    `DELETE FROM jobs WHERE id < 5`,
    // More in one transaction than is repeated at a time.
    `INSERT INTO carts SELECT FROM generate_series(1, 700)`,
  ]) {
    await sql(pair.from.url(), written);
  }
  const again = await move(pair);
  expect(again).toMatchObject({ code: 0, moved: { followed: 7 } });
  // The copy of the run before was good.
  expect(again.events.map(({ step }) => step)).not.toContain('copy');
  await resume(pair.from);
});

test('where all rows would take too long, those that changed are compared by their keys, however many columns those have', async () => {
  const pair = await sides();
  await sql(
    pair.from.url(),
    `INSERT INTO order_items SELECT id, p, 'a thing', 5, 1 FROM orders, generate_series(1, 2) p;
     UPDATE order_items SET quantity = 9 WHERE product_id = 2`,
  );
  const [{ order_id: id }] = await sql(pair.from.url(), 'SELECT order_id FROM order_items LIMIT 1');
  const session = await openSession({ connectionString: pair.from.url() });
  const tables = movedTables(await listTables(session)).filter(({ name }) => /^(order_items|users)$/.test(name));
  const look = (keys: string[][]) =>
    contents(session, tables, new Map([['order_items', new Map(keys.map((key) => [key.join(), key]))]]));
  try {
    const [one, two] = [await look([[id, '1']]), await look([[id, '2']])];
    expect([one, two]).toMatchObject(Array(2).fill([{ rows: 1 }, { table: 'users', rows: 0, checksum: '0' }]));
    expect(differences(one, two)).toEqual(['order_items: 1 rows with other content']);
    expect(
      await look([
        [id, '1'],
        [id, '2'],
        [id, '3'],
      ]),
    ).toMatchObject([{ rows: 2 }, { rows: 0 }]);
  } finally {
    await session.end();
  }
});

test('a change that the copy cannot take is found, the source goes on, and the next run makes another copy', async () => {
  const [pair, another] = [await sides(), await sides()];
  const stopped = await move(pair, {
    onEvent: ({ step }, child) => {
      if (step === 'follow') child.kill('SIGKILL');
    },
  });
  expect(stopped.code).toBeNull();
  await change(pair.to, `DELETE FROM orders WHERE idempotency_key = '1'`);
  await sql(pair.from.url(), `UPDATE orders SET status = 'fulfilled'`);
  expect(await move(pair)).toMatchObject({ code: 1, stderr: 'a change does not fit the copy: update in orders\n' });
  expect([await takesWrites(pair.from), await takesWrites(pair.to)]).toEqual([true, false]);
  expect(await leftBehind(pair.from)).toEqual([]);
  expect((await move(pair)).code).toBe(0);

  // It is not for a move to another target to wake the past.
  expect(await move({ from: pair.from, to: another.to })).toMatchObject({
    code: 1,
    stderr: 'the source is read-only, and not by a move to this target: "back" would let it take writes\n',
  });
  await resume(pair.from);
});

test('asked to stop, it lets writes go on', async () => {
  const pair = await sides();
  const end = await move(pair, {
    onEvent: ({ step }, child) => {
      // Once: its last line has that step as well, and a signal at the very end meets no handler any more.
      if (step === 'drain' && !child.killed) child.kill('SIGTERM');
    },
  });
  // It may have been done by then.
  const opened = end.code === 0;
  expect([await takesWrites(pair.from), await takesWrites(pair.to)]).toEqual([!opened, opened]);
  expect([0, 1]).toContain(end.code);
  await resume(pair.from);
});

test('two movers do not meet, and nothing is moved into itself', async () => {
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
    { code: 1, stderr: 'another move of this database is under way\n' },
    { code: 1, stderr: 'source and target are the same database, or another move to it is under way\n' },
  ]);
});

describe('refuses, with a line for each reason,', () => {
  test('a source that cannot be followed', async () => {
    const pair = await sides();
    await sql(
      pair.from.adminUrl(),
      'CREATE TABLE notes (text text); CREATE SCHEMA other; CREATE TABLE other.things (id int)',
    );
    await sql(pair.from.adminUrl(), 'SELECT lo_create(0)');
    expect(await move(pair)).toMatchObject({
      code: 1,
      stderr:
        'the source has 1 large objects, which its log does not hold\n' +
        'notes at the source has no primary key\n' +
        'other.things at the source is in another schema than public\n',
    });
    expect(await leftBehind(pair.from)).toEqual([]);
  });

  test('a user who is no superuser, and a target with rows of its own', async () => {
    const pair = await sides();
    expect(await move({ ...pair, from: { ...pair.from, adminUrl: pair.from.url } })).toMatchObject({
      code: 1,
      stderr: 'MOVE_FROM_URL: its user must be a superuser of the source\n',
    });
    await sql(pair.to.url(), `CREATE TABLE kept (id int); INSERT INTO kept VALUES (1)`);
    expect((await move(pair)).stderr).toBe('the target holds rows that no move brought: kept\n');
  });

  test('a server that does not answer', async () => {
    const pair = await sides();
    const nobody = `postgres://shop@127.0.0.1:${await freePort()}/shop`;
    expect(await move({ ...pair, to: { ...pair.to, url: () => nobody } })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^the target does not let the mover in: .*ECONNREFUSED.*\n$/),
    });
  });

  test('a target of another version of the app', async () => {
    const pair = await sides();
    await sql(pair.from.adminUrl(), 'ALTER TABLE users ADD COLUMN nickname text');
    expect((await move(pair)).stderr).toMatch(/^not the same at source and target: users\. /);
  });

  test.each([
    [[], {}, '"": must be one of prepare, run, back, status (--help says what they do)'],
    [['go'], {}, '"go": must be one of prepare, run, back, status (--help says what they do)'],
    [['run', '--max-pause', '0'], {}, '--max-pause 0: must be a number from 0.1 to 3600 (seconds)'],
    [['run'], {}, 'DATABASE_URL: must be set, or DATABASE_SECRET_ARN in its place'],
    [['run'], { DATABASE_URL: 'postgres:///x' }, 'MOVE_FROM_URL: must be set'],
    [['run'], { DATABASE_URL: 'postgres:///x', MOVE_FROM_URL: 'secret' }, 'MOVE_FROM_URL: must be a postgres:// URL'],
  ])('%j with %j', async (args, env, line) => {
    const { code, stderr } = await plainly(args, env);
    expect({ code, stderr }).toEqual({ code: 2, stderr: `${line}\n` });
  });

  function plainly(args: string[], env: Record<string, string>): Promise<{ code: number | null; stderr: string }> {
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

/** All databases of the source's server are paused together; the next test needs it again. */
async function resume(database: Postgres): Promise<void> {
  await sql(database.adminUrl(), 'ALTER SYSTEM RESET default_transaction_read_only');
  await sql(database.adminUrl(), 'SELECT pg_reload_conf()');
  await eventually(async () => takesWrites(database));
}
