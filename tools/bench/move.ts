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
import { ShopTraffic, type TrafficResult } from './shop-traffic';

/** Maximum seconds without a successful write. */
const MAX_PAUSE = 10;

/** Milliseconds of traffic before and after the move. */
const AROUND = 2_000;

const VISITORS = 40;
const PRODUCTS = 20;

export interface MoveBenchOptions {
  /** Orders in the database before the move. */
  readonly rows: number;
  /** Writes per second during the move. */
  readonly writes: number;
  readonly runs: number;
  /**
   * Kill the move process at each of its steps; the next run resumes.
   *
   * @default false
   */
  readonly kill?: boolean;
  /** @default false */
  readonly json?: boolean;
}

export interface MoveRun {
  /** Rows of all tables at the comparison of source and target. */
  readonly rows: number;
  /** Duration of the move, including the app's switch to the new database. */
  readonly seconds: number;
  /** Number of times that the move process was killed. */
  readonly kills: number;
  /** Longest time without an acknowledged write, from the client's view; includes the app's switch to the new database. */
  readonly pauseSeconds: number;
  /** The move process's share of the pause. Undefined if it was killed before it reported the pause. */
  readonly moverPauseSeconds?: number | undefined;
  /** Acknowledged writes before, during and after the move. */
  readonly acknowledged: number;
  readonly lost: number;
  readonly doubled: number;
  /** Whether the orders of source and target match at the end, by count and checksum. */
  readonly equal: boolean;
  readonly reads: number;
  /** Reads that failed before the move process exited and the app restarted. */
  readonly readsFailedBefore: number;
  readonly readsFailed: number;
  /** Invalid responses. */
  readonly wrong: readonly string[];
}

/**
 * Runs the benchmark `move`: moves the shop's data to another PostgreSQL (with TLS, like RDS) under write load, restarts the shop
 * on it, and verifies every acknowledged write. Returns the exit code: 1 if a write is lost or duplicated, the contents differ,
 * or the pause exceeds {@link MAX_PAUSE}.
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
        `  … run ${run} of ${options.runs}: pause ${pause} s, ${done.lost} lost, ${done.doubled} duplicated, ${content}`,
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
  const isConsistent = run.lost === 0 && run.doubled === 0 && run.wrong.length === 0 && run.equal;
  return isConsistent && run.pauseSeconds <= MAX_PAUSE;
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
    const traffic = await ShopTraffic.start({
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
      throw new Error(`move.js exited with code ${last.code}: ${last.stderr}`);
    }
    const readsFailedBefore = traffic.readsFailed;
    await shop.stop();
    shop = await start('2', to.url());
    const seconds = (performance.now() - begin) / 1000;
    await sleep(AROUND);
    const result = await traffic.end();
    await shop.stop();
    return {
      rows: rowsCompared([...killed, last]),
      seconds,
      kills: killed.length,
      pauseSeconds: result.longestGap / 1000,
      moverPauseSeconds: last.moved.pauseSeconds,
      acknowledged: result.acknowledged,
      ...(await audit(to, result)),
      equal: await isEqual(from, to),
      reads: result.reads,
      readsFailedBefore,
      readsFailed: result.readsFailed,
      wrong: result.wrong,
    };
  } finally {
    await shop?.stop();
    await from?.stop();
    await to?.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Each run gets one step further than the previous one. */
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
      SESSION_SECRET: 'a secret for benchmarks, long enough',
      WEB_CONCURRENCY: '2',
      LOG_LEVEL: 'warn',
    },
  });
}

/** Items in stock per product. */
const STOCK = 1_000_000;

/** Inserts orders of a thousand users, with items and receipts. */
async function fill(database: Postgres, orders: number): Promise<void> {
  await query(
    database,
    // Skips foreign key checks, for speed.
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

/** Verifies that every acknowledged write exists exactly once. */
async function audit(database: Postgres, { orders, items }: TrafficResult): Promise<{ lost: number; doubled: number }> {
  const found = await query(database, 'SELECT id FROM orders WHERE id = ANY ($1)', [orders]);
  let lost = new Set(orders).size - found.length;
  let doubled = 0;
  const quantities = await query(
    database,
    `SELECT u.email, coalesce(sum(line.quantity), 0)::int AS items
     FROM users u LEFT JOIN (
       SELECT o.user_id, i.quantity FROM orders o JOIN order_items i ON i.order_id = o.id
       UNION ALL SELECT c.user_id, i.quantity FROM carts c JOIN cart_items i ON i.cart_id = c.id
     ) line ON line.user_id = u.id WHERE u.email = ANY ($1) GROUP BY u.email`,
    [[...items.keys()]],
  );
  const stored = new Map(quantities.map((row) => [row.email as string, row.items as number]));
  for (const [email, { certain, unknown }] of items) {
    const quantity = stored.get(email) ?? 0;
    lost += Math.max(0, certain - quantity);
    doubled += Math.max(0, quantity - certain - unknown);
  }
  // The visitors' order items must equal the decrease in stock.
  const [stock] = await query(
    database,
    `SELECT (SELECT sum(${STOCK} - stock) FROM products)
            - (SELECT sum(i.quantity) FROM order_items i JOIN orders o ON o.id = i.order_id
               JOIN users u ON u.id = o.user_id WHERE u.email LIKE 'visitor-%') AS off`,
  );
  return { lost, doubled: doubled + Math.abs(Number(stock?.off)) };
}

/** Digest of all orders up to a time. Only an order's status changes later, so the digest leaves it out. */
const ORDERS = `
  SELECT count(*)::text || ' ' || sum(('x' || left(md5(concat_ws('|', o.id, o.user_id, o.idempotency_key, o.total_cents,
    o.created_at, i.product_id, i.name, i.price_cents, i.quantity)), 16))::bit(64)::bigint)::text AS digest
  FROM orders o JOIN order_items i ON i.order_id = o.id WHERE o.created_at <= $1::timestamptz`;

async function isEqual(from: Postgres, to: Postgres): Promise<boolean> {
  const [last] = await query(from, 'SELECT max(created_at)::text AS at FROM orders');
  const [[source], [target]] = [await query(from, ORDERS, [last?.at]), await query(to, ORDERS, [last?.at])];
  return source?.digest === target?.digest;
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
    'kills',
    'write pause',
    'by move.js',
    'acknowledged',
    'lost',
    'duplicated',
    'equal',
    'failed reads',
    'during restart',
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
  return [
    table(head, rows),
    `goal: write pause of at most ${MAX_PAUSE} s, no lost or duplicated writes`,
    ...wrong,
  ].join('\n');
}
