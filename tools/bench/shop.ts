import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Postgres, type PostgresOptions, startPostgres } from '../rehearsal/programs/postgres';
import { type ShopProcess, startShop } from '../rehearsal/programs/shop-process';
import { type AppBundle, buildApp } from '../support/app-bundle';
import { pinCpus } from './cpu-affinity';

/** Default environment of a benchmarked server. */
export const SHOP_ENV = {
  SESSION_SECRET: 'a secret for benchmarks, long enough for a signature',
  PORT: '0',
  HOST: '127.0.0.1',
  WEB_CONCURRENCY: '1',
};

export interface Shop {
  readonly process: ShopProcess;
  readonly url: string;
}

/** The bundled shop with a real PostgreSQL, both pinned to the CPU of the benchmarked processes. */
export class ShopBench {
  readonly #onClose: (() => Promise<void>)[] = [];
  #started = 0;

  private constructor(
    readonly dir: string,
    readonly bundle: AppBundle,
    readonly postgres: Postgres,
  ) {
    this.onClose(() => postgres.stop());
  }

  /** Runs `work`, then stops every process that it started, also after an error. */
  static async run<T>(work: (bench: ShopBench) => Promise<T>, access: Partial<PostgresOptions> = {}): Promise<T> {
    const dir = mkdtempSync(join(tmpdir(), 'shop-bench-'));
    const settings = { max_connections: '200' };
    const postgres = await startPostgres({ dir: join(dir, 'postgres'), settings, ...access });
    pinCpus(postgres.pid, 'target');
    const bench = new ShopBench(dir, buildApp(), postgres);
    try {
      return await work(bench);
    } finally {
      for (const close of bench.#onClose.reverse()) await close();
      rmSync(dir, { recursive: true, force: true });
    }
  }

  /** Registers a cleanup function. They run in reverse order. */
  onClose(close: () => Promise<void>): void {
    this.#onClose.push(close);
  }

  /** Creates the database and starts a server on it. Resolves when the server is ready. */
  async serve(database: string, env: Readonly<Record<string, string>> = {}, bundle = this.bundle): Promise<Shop> {
    await this.postgres.createDatabase(database);
    return this.start({ DATABASE_URL: this.postgres.url(database), ...env }, bundle);
  }

  /** Starts a server on a free port, with one process by default. Resolves when it is ready. */
  async start(env: Readonly<Record<string, string>>, bundle = this.bundle): Promise<Shop> {
    this.#started += 1;
    const log = join(this.dir, `shop-${this.#started}.log`);
    const process = await startShop({ bundle, log, env: { ...SHOP_ENV, ...env } });
    this.onClose(() => process.stop());
    pinCpus(process.pid, 'target');
    return { process, url: `http://127.0.0.1:${process.port}` };
  }
}

/** Returns the session cookie of a new visitor with one product in the cart. */
export function cartCookie(url: string): Promise<string> {
  return startSession(`${url}/api/cart/items`, { productId: 1, quantity: 1 });
}

/** Returns the session cookie of a new logged-in user. */
export function userCookie(url: string): Promise<string> {
  const email = `${randomUUID()}@example.com`;
  return startSession(`${url}/api/signup`, { email, password: 'correct horse battery' });
}

/** Posts `body` without a session. Returns the cookie of the session that the response starts. */
export async function startSession(url: string, body: unknown): Promise<string> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const [cookie] = response.headers.getSetCookie();
  if (!response.ok || cookie === undefined) throw new Error(`${url} started no session: ${await response.text()}`);
  return cookie.slice(0, cookie.indexOf(';'));
}
