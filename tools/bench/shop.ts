import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Postgres, type PostgresOptions, startPostgres } from '../rehearsal/programs/postgres';
import { type ShopProcess, startShop } from '../rehearsal/programs/shop-process';
import { type AppBundle, buildApp } from '../support/app-bundle';
import { pinCpus } from './cpu-affinity';

/** What each server is started with unless its bench says otherwise. */
export const SHOP_ENV = {
  SESSION_SECRET: 'a secret for benches, long enough for a signature',
  PORT: '0',
  HOST: '127.0.0.1',
  WEB_CONCURRENCY: '1',
};

export interface Shop {
  readonly process: ShopProcess;
  readonly url: string;
}

/** The built shop over a real PostgreSQL, both confined to the measured processor; what a bench measures. */
export class ShopBench {
  readonly #ends: (() => Promise<void>)[] = [];
  #started = 0;

  private constructor(
    readonly dir: string,
    readonly bundle: AppBundle,
    readonly postgres: Postgres,
  ) {
    this.onClose(() => postgres.stop());
  }

  /** Runs `work`, and ends all that it started, whatever happens. */
  static async run<T>(work: (bench: ShopBench) => Promise<T>, access: Partial<PostgresOptions> = {}): Promise<T> {
    const dir = mkdtempSync(join(tmpdir(), 'shop-bench-'));
    const settings = { max_connections: '200' };
    const postgres = await startPostgres({ dir: join(dir, 'postgres'), settings, ...access });
    pinCpus(postgres.pid, 'target');
    const bench = new ShopBench(dir, buildApp(), postgres);
    try {
      return await work(bench);
    } finally {
      for (const end of bench.#ends.reverse()) await end();
      rmSync(dir, { recursive: true, force: true });
    }
  }

  onClose(end: () => Promise<void>): void {
    this.#ends.push(end);
  }

  /** A server over the database of that name, ready. */
  async serve(database: string, env: Readonly<Record<string, string>> = {}): Promise<Shop> {
    await this.postgres.createDatabase(database);
    return this.start({ DATABASE_URL: this.postgres.url(database), ...env });
  }

  /** A server on a free port, ready; of one process unless `env` says otherwise. */
  async start(env: Readonly<Record<string, string>>): Promise<Shop> {
    this.#started += 1;
    const log = join(this.dir, `shop-${this.#started}.log`);
    const process = await startShop({ bundle: this.bundle, log, env: { ...SHOP_ENV, ...env } });
    this.onClose(() => process.stop());
    pinCpus(process.pid, 'target');
    return { process, url: `http://127.0.0.1:${process.port}` };
  }
}

/** The cookie of a new visitor with one product in the cart. */
export function cartCookie(url: string): Promise<string> {
  return startSession(`${url}/api/cart/items`, { productId: 1, quantity: 1 });
}

/** The cookie of a new user who is logged in. */
export function userCookie(url: string): Promise<string> {
  const email = `${randomUUID()}@example.com`;
  return startSession(`${url}/api/signup`, { email, password: 'correct horse battery' });
}

/** Sends `body` as a visitor who has no session; returns the cookie of the one that it began. */
export async function startSession(url: string, body: unknown): Promise<string> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const [cookie] = answer.headers.getSetCookie();
  if (!answer.ok || cookie === undefined) throw new Error(`${url} began no session: ${await answer.text()}`);
  return cookie.slice(0, cookie.indexOf(';'));
}
