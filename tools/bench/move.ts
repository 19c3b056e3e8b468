import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { MOVE_STEPS, type MoveEnd, type MoveProcessOptions, runMove } from '../rehearsal/programs/move';
import { type Postgres, startPostgres } from '../rehearsal/programs/postgres';
import { type ShopProcess, startShop } from '../rehearsal/programs/shop-process';
import { type AppBundle, buildApp } from '../support/app-bundle';
import { freePort } from '../support/processes';
import { table } from '../support/table';
import { type Promised, ShopTraffic } from './shop-traffic';

/** Seconds for which visitors may be without a write. */
const MAX_PAUSE = 10;

/** Milliseconds of traffic before the move, and after it. */
const AROUND = 2_000;

const VISITORS = 40;
const PRODUCTS = 20;

export interface MoveBenchOptions {
  /** Orders that are there before. */
  readonly rows: number;
  /** Writes a second while it moves. */
  readonly writes: number;
  readonly runs: number;
  /**
   * Kill the mover at each of its steps first, and let the next run go on.
   *
   * @default false
   */
  readonly kill?: boolean;
  /** @default false */
  readonly json?: boolean;
}

export interface MoveRun {
  /** Rows of all tables together, when source and copy were compared. */
  readonly rows: number;
  /** Of the whole move, the app's change to the new database included. */
  readonly seconds: number;
  /** How often the mover was killed. */
  readonly kills: number;
  /** Longest time without an acknowledged write, as visitors had it: the app's change to the new database is in it. */
  readonly pauseSeconds: number;
  /** Of it, what the mover took; unknown when it was killed before it could say. */
  readonly moverPauseSeconds?: number | undefined;
  /** Writes that were acknowledged, before the move and after it. */
  readonly acknowledged: number;
  readonly lost: number;
  readonly doubled: number;
  /** Whether what the source held at the end is in the target, by count and checksum. */
  readonly equal: boolean;
  readonly reads: number;
  /** Reads that failed until the mover had ended; after that the app is restarted. */
  readonly readsFailedBefore: number;
  readonly readsFailed: number;
  /** Answers that nobody should get. */
  readonly wrong: readonly string[];
}

/**
 * The bench `move`: the shop on one PostgreSQL, under writes; its data moves to another (TLS, as RDS), the shop is started
 * on that, and what visitors were promised is looked for there. Returns the exit code: 1 when something is lost or doubled,
 * differs, or the pause is longer than {@link MAX_PAUSE}.
 */
export async function benchMove(options: MoveBenchOptions): Promise<number> {
  const runs: MoveRun[] = [];
  for (let run = 1; run <= options.runs; run += 1) {
    const done = await moveOnce(options);
    runs.push(done);
    if (!options.json) {
      const content = done.equal ? 'equal' : 'not equal';
      const pause = done.pauseSeconds.toFixed(2);
      console.error(
        `  … run ${run} of ${options.runs}: pause ${pause} s, ${done.lost} lost, ${done.doubled} doubled, ${content}`,
      );
    }
  }
  const { rows, writes } = options;
  console.log(
    options.json ? JSON.stringify({ orders: rows, writes, maxPause: MAX_PAUSE, runs }, null, 2) : render(runs),
  );
  return runs.every(meetsGoals) ? 0 : 1;
}

export function meetsGoals(run: MoveRun): boolean {
  const kept = run.lost === 0 && run.doubled === 0 && run.wrong.length === 0 && run.equal;
  return kept && run.pauseSeconds <= MAX_PAUSE;
}

export async function moveOnce({ rows, writes, kill }: Omit<MoveBenchOptions, 'runs' | 'json'>): Promise<MoveRun> {
  const dir = mkdtempSync(join(tmpdir(), 'shop-move-'));
  let from: Postgres | undefined;
  let to: Postgres | undefined;
  let shop: ShopProcess | undefined;
  try {
    const bundle = buildApp();
    from = await startPostgres({ dir: join(dir, 'from'), settings: { wal_level: 'logical' } });
    to = await startPostgres({ dir: join(dir, 'to'), access: 'tls' });
    await from.createDatabase('shop');
    await to.createDatabase('shop');
    const port = String(await freePort());
    const start = (phase: string, database: string) =>
      startShopOn(bundle, join(dir, 'shop.log'), port, phase, database);

    shop = await start('1', from.url());
    await fill(from, rows);
    const traffic = await ShopTraffic.begin({
      url: `http://127.0.0.1:${port}`,
      visitors: VISITORS,
      writes,
      products: PRODUCTS,
    });
    await sleep(AROUND);
    const begin = performance.now();
    const killed = kill ? await killAtEachStep({ bundle, from, to }) : [];
    const last = await runMove({ bundle, from, to });
    if (last.moved === undefined) {
      await traffic.end();
      throw new Error(`the move ended with ${last.code}: ${last.stderr}`);
    }
    const readsFailedBefore = traffic.readsFailed;
    await shop.stop();
    shop = await start('2', to.url());
    const seconds = (performance.now() - begin) / 1000;
    await sleep(AROUND);
    const promised = await traffic.end();
    await shop.stop();
    return {
      rows: rowsCompared([...killed, last]),
      seconds,
      kills: killed.length,
      pauseSeconds: promised.longestGap / 1000,
      moverPauseSeconds: last.moved.pauseSeconds,
      acknowledged: promised.acknowledged,
      ...(await audit(to, promised)),
      equal: await isEqual(from, to),
      reads: promised.reads,
      readsFailedBefore,
      readsFailed: promised.readsFailed,
      wrong: promised.wrong,
    };
  } finally {
    await shop?.stop();
    await from?.stop();
    await to?.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Each run goes one step further than the one before. */
async function killAtEachStep(options: MoveProcessOptions): Promise<MoveEnd[]> {
  const killed: MoveEnd[] = [];
  for (const killAt of MOVE_STEPS) killed.push(await runMove({ ...options, killAt }));
  return killed.filter(({ code }) => code === null);
}

function rowsCompared(ends: readonly MoveEnd[]): number {
  const compared = ends.flatMap(({ events }) =>
    events.filter(({ step, rows }) => step === 'compare' && rows !== undefined),
  );
  return compared.at(-1)?.rows ?? 0;
}

function startShopOn(bundle: AppBundle, log: string, port: string, phase: string, database: string) {
  return startShop({
    bundle,
    log,
    env: {
      HOST: '127.0.0.1',
      PORT: port,
      PHASE: phase,
      DATABASE_URL: database,
      SESSION_SECRET: 'a secret of the bench, long enough for it',
      WEB_CONCURRENCY: '2',
      LOG_LEVEL: 'warn',
    },
  });
}

/** Each product as often as it can be ordered. */
const STOCK = 1_000_000;

/** Orders of a thousand users, with their lines and receipts. */
async function fill(database: Postgres, orders: number): Promise<void> {
  await query(
    database,
    // Without a look at each foreign key.
    `SET session_replication_role = replica;
     INSERT INTO users (email, password_hash) SELECT 'user-' || i || '@example.com', 'none' FROM generate_series(1, 1000) i;
     INSERT INTO orders (user_id, idempotency_key, status, total_cents)
       SELECT u.id, i::text, 'fulfilled', 300
       FROM generate_series(0, ${orders} - 1) i JOIN users u ON u.email = 'user-' || (1 + i % 1000) || '@example.com';
     INSERT INTO order_items (order_id, product_id, name, price_cents, quantity)
       SELECT o.id, p, 'Product ' || p, 100 * p, 1 FROM orders o, generate_series(1, 2) p;
     INSERT INTO receipts (order_id) SELECT id FROM orders;
     UPDATE products SET stock = ${STOCK}`,
  );
}

/** Looks for what visitors were promised. */
async function audit(database: Postgres, { orders, pieces }: Promised): Promise<{ lost: number; doubled: number }> {
  const kept = await query(database, 'SELECT id FROM orders WHERE id = ANY ($1)', [orders]);
  let lost = new Set(orders).size - kept.length;
  let doubled = 0;
  const bought = await query(
    database,
    `SELECT u.email, coalesce(sum(line.quantity), 0)::int AS pieces
     FROM users u LEFT JOIN (
       SELECT o.user_id, i.quantity FROM orders o JOIN order_items i ON i.order_id = o.id
       UNION ALL SELECT c.user_id, i.quantity FROM carts c JOIN cart_items i ON i.cart_id = c.id
     ) line ON line.user_id = u.id WHERE u.email = ANY ($1) GROUP BY u.email`,
    [[...pieces.keys()]],
  );
  const found = new Map(bought.map((row) => [row.email as string, row.pieces as number]));
  for (const [email, { certain, unknown }] of pieces) {
    const there = found.get(email) ?? 0;
    lost += Math.max(0, certain - there);
    doubled += Math.max(0, there - certain - unknown);
  }
  // What was sold beyond the lines that the bench began with has left the stock.
  const [books] = await query(
    database,
    `SELECT (SELECT sum(${STOCK} - stock) FROM products)
            - (SELECT sum(i.quantity) FROM order_items i JOIN orders o ON o.id = i.order_id
               JOIN users u ON u.id = o.user_id WHERE u.email LIKE 'visitor-%') AS off`,
  );
  return { lost, doubled: doubled + Math.abs(Number(books?.off)) };
}

/** Orders and their lines never change but for their status, so those of the source are in the target for ever. */
const ORDERS = `
  SELECT count(*)::text || ' ' || sum(('x' || left(md5(concat_ws('|', o.id, o.user_id, o.idempotency_key, o.total_cents,
    o.created_at, i.product_id, i.name, i.price_cents, i.quantity)), 16))::bit(64)::bigint)::text AS digest
  FROM orders o JOIN order_items i ON i.order_id = o.id WHERE o.created_at <= $1::timestamptz`;

async function isEqual(from: Postgres, to: Postgres): Promise<boolean> {
  const [last] = await query(from, 'SELECT max(created_at)::text AS at FROM orders');
  const [[here], [there]] = [await query(from, ORDERS, [last?.at]), await query(to, ORDERS, [last?.at])];
  return here?.digest === there?.digest;
}

async function query(database: Postgres, sql: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: database.adminUrl() });
  await client.connect();
  try {
    return (await client.query(sql, values && [...values])).rows;
  } finally {
    await client.end();
  }
}

function render(runs: readonly MoveRun[]): string {
  const head = [
    'run',
    'rows',
    'move',
    'killed',
    'pause',
    'of it mover',
    'acknowledged',
    'lost',
    'doubled',
    'equal',
    'reads failed',
    'of them in the restart',
  ];
  const rows = runs.map((run, index) => [
    String(index + 1),
    String(run.rows),
    `${run.seconds.toFixed(1)} s`,
    String(run.kills),
    `${run.pauseSeconds.toFixed(2)} s`,
    run.moverPauseSeconds === undefined ? '-' : `${run.moverPauseSeconds.toFixed(2)} s`,
    String(run.acknowledged),
    String(run.lost),
    String(run.doubled),
    run.equal ? 'yes' : 'no',
    `${run.readsFailed} of ${run.reads}`,
    String(run.readsFailed - run.readsFailedBefore),
  ]);
  const wrong = [...new Set(runs.flatMap((run) => run.wrong))];
  return [table(head, rows), `goal: a pause of at most ${MAX_PAUSE} s, nothing lost or doubled`, ...wrong].join('\n');
}
