import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AppBundle, buildApp } from '../app-bundle';
import { type Postgres, startPostgres } from '../rehearsal/postgres';
import { type ShopProcess, startShop } from '../rehearsal/shop-process';
import { place } from './processors';

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

  static async open(): Promise<ShopBench> {
    const dir = mkdtempSync(join(tmpdir(), 'shop-bench-'));
    const postgres = await startPostgres({ dir: join(dir, 'postgres'), settings: { max_connections: '200' } });
    place(postgres.pid, 'measured');
    return new ShopBench(dir, buildApp(), postgres);
  }

  /** Runs `work`, and ends all that it started, whatever happens. */
  static async run<T>(work: (bench: ShopBench) => Promise<T>): Promise<T> {
    const bench = await ShopBench.open();
    try {
      return await work(bench);
    } finally {
      for (const end of bench.#ends.reverse()) await end();
      rmSync(bench.dir, { recursive: true, force: true });
    }
  }

  onClose(end: () => Promise<void>): void {
    this.#ends.push(end);
  }

  /** A server of one process over the database of that name, ready. */
  async serve(database: string, env: Readonly<Record<string, string>> = {}): Promise<Shop> {
    await this.postgres.createDatabase(database);
    this.#started += 1;
    const process = await startShop({
      bundle: this.bundle,
      log: join(this.dir, `shop-${this.#started}.log`),
      env: {
        DATABASE_URL: this.postgres.url(database),
        SESSION_SECRET: 'a secret for benches, long enough for a signature',
        PORT: '0',
        HOST: '127.0.0.1',
        WEB_CONCURRENCY: '1',
        ...env,
      },
    });
    this.onClose(() => process.stop());
    place(process.pid, 'measured');
    return { process, url: `http://127.0.0.1:${process.port}` };
  }
}

/** The cookie of a new visitor with one product in the cart. */
export async function cookieOfCart(url: string): Promise<string> {
  const answer = await fetch(`${url}/api/cart/items`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ productId: 1, quantity: 1 }),
  });
  const [cookie] = answer.headers.getSetCookie();
  if (answer.status !== 200 || cookie === undefined) throw new Error(`the cart was not begun: ${await answer.text()}`);
  return cookie.slice(0, cookie.indexOf(';'));
}
