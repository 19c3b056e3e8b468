import { execFile, spawn } from 'node:child_process';
import { randomBytes, scryptSync } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { type Postgres, startPostgres } from '../../tools/rehearsal/programs/postgres';
import { type ShopProcess, startShop } from '../../tools/rehearsal/programs/shop-process';
import { type AppBundle, buildApp } from '../../tools/support/app-bundle';
import { copyEmptyCluster } from './empty-cluster';

export const SESSION_SECRET = 'a secret for tests, long enough for a signature';

/** The bundled shop with a real PostgreSQL, for the tests of one file. `close()` stops every process. */
export class TestBed {
  readonly #servers = new Set<ShopProcess>();
  #databases = 0;
  #lastCreated: Promise<void> = Promise.resolve();

  private constructor(
    readonly dir: string,
    readonly bundle: AppBundle,
    readonly postgres: Postgres,
  ) {}

  static async open(settings: Readonly<Record<string, string>> = {}): Promise<TestBed> {
    const dir = mkdtempSync(join(tmpdir(), 'shop-test-'));
    // Without fsync for speed: test data need not survive a crash.
    const quick = { fsync: 'off', max_connections: '200', ...settings };
    const postgres = join(dir, 'postgres');
    await copyEmptyCluster(postgres);
    return new TestBed(dir, buildApp(), await startPostgres({ dir: postgres, settings: quick }));
  }

  /** Creates an empty database. Returns its connection string. */
  async database(): Promise<string> {
    this.#databases += 1;
    const name = `shop${this.#databases}`;
    // Sequentially, because the first call also creates the role.
    this.#lastCreated = this.#lastCreated.then(() => this.postgres.createDatabase(name));
    await this.#lastCreated;
    return this.postgres.url(name);
  }

  /**
   * Starts a server on a free port, with one process by default. Resolves when it is ready. Load shedding is off unless `env` turns
   * it on: tests share the CPU, and concurrent requests to a busy server look like overload.
   */
  async serve(database: string, env: Readonly<Record<string, string>> = {}): Promise<ShopServer> {
    const log = join(this.dir, `server-${Math.random().toString(36).slice(2)}.log`);
    const process = await startShop({ bundle: this.bundle, log, env: serverEnv(database, env) });
    this.#servers.add(process);
    return new ShopServer(process, log);
  }

  /** Runs a server that must exit during startup. Returns its exit code and output. */
  runUntilExit(
    env: Readonly<Record<string, string>>,
  ): Promise<{ code: number | null; stderr: string; stdout: string }> {
    return new Promise((resolve) => {
      const child = execFile(
        process.execPath,
        [join(this.bundle.dir, 'server.js')],
        { env: { PATH: process.env.PATH, ...env }, timeout: 300_000 },
        (_error, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
      );
    });
  }

  async close(): Promise<void> {
    for (const server of this.#servers) if (isAlive(server.pid)) process.kill(server.pid, 'SIGKILL');
    await Promise.all([...this.#servers].map((server) => server.exited));
    await this.postgres.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/**
 * Starts a server that must log `reason` and not become ready. Kills it 2 s after that log line.
 *
 * @param late log line of a server that the machine was too slow to test
 * @returns false if the server logged `late`
 */
export async function expectNotReady(
  bundle: AppBundle,
  log: string,
  env: Readonly<Record<string, string>>,
  reason: RegExp,
  late?: RegExp,
): Promise<boolean> {
  const file = openSync(log, 'a');
  const child = spawn(process.execPath, [join(bundle.dir, 'server.js')], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', file, file, 'ipc'],
  });
  closeSync(file);
  const messages: unknown[] = [];
  child.on('message', (message) => messages.push(message));
  try {
    const hasLogged = (line: RegExp) => line.test(readFileSync(log, 'utf8'));
    await eventually(() => hasLogged(reason) || (late !== undefined && hasLogged(late)));
    if (!hasLogged(reason)) return false;
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(messages).toEqual([]);
    return true;
  } finally {
    child.kill('SIGKILL');
  }
}

/**
 * The environment of a server. Load shedding is off: to a server on a busy machine, concurrent requests look like overload. The
 * tests of overload turn it on.
 */
export function serverEnv(database: string, env: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    DATABASE_URL: database,
    SESSION_SECRET,
    PORT: '0',
    HOST: '127.0.0.1',
    WEB_CONCURRENCY: '1',
    LOAD_SHEDDING: 'false',
    ...env,
  };
}

export class ShopServer {
  readonly url: string;
  readonly pid: number;
  readonly exited: Promise<number | null>;

  constructor(
    readonly process: ShopProcess,
    private readonly logFile: string,
  ) {
    this.url = `http://127.0.0.1:${process.port}`;
    this.pid = process.pid;
    this.exited = process.exited;
  }

  log(): string {
    return readFileSync(this.logFile, 'utf8');
  }

  kill(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  visitor(): Visitor {
    return new Visitor(this.url);
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body read as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: the tests check its shape
  readonly json: any;
}

/** A minimal HTTP client: keeps cookies and follows no redirects. */
export class Visitor {
  readonly cookies = new Map<string, string>();

  constructor(public url: string) {}

  async request(method: string, path: string, init: { headers?: Record<string, string>; body?: string } = {}) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(this.url + path, {
      method,
      redirect: 'manual',
      headers: { ...(cookie && { cookie }), ...init.headers },
      ...(init.body !== undefined && { body: init.body }),
    });
    this.#storeCookies(response.headers.getSetCookie());
    const text = await response.text();
    const answer: Answer = {
      status: response.status,
      headers: response.headers,
      text,
      get json() {
        return JSON.parse(text);
      },
    };
    return answer;
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.request('GET', path, { headers });
  }

  post(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    if (body === undefined) return this.request('POST', path, { headers });
    const json = typeof body === 'string' ? body : JSON.stringify(body);
    return this.request('POST', path, { headers: { 'content-type': 'application/json', ...headers }, body: json });
  }

  submit(path: string, fields: Record<string, string>, headers: Record<string, string> = {}): Promise<Answer> {
    const type = { 'content-type': 'application/x-www-form-urlencoded' };
    return this.request('POST', path, { headers: { ...type, ...headers }, body: String(new URLSearchParams(fields)) });
  }

  /** Signs up with a unique address and stays logged in. */
  async signUp(): Promise<string> {
    const email = `${Math.random().toString(36).slice(2)}@example.com`;
    const answer = await this.post('/api/signup', { email, password: PASSWORD });
    expect(answer.status).toBe(201);
    return email;
  }

  async logIn(email: string): Promise<void> {
    expect((await this.post('/api/login', { email, password: PASSWORD })).status).toBe(200);
  }

  add(productId: number, quantity = 1): Promise<Answer> {
    return this.post('/api/cart/items', { productId, quantity });
  }

  order(key: string): Promise<Answer> {
    return this.post('/api/orders', undefined, { 'idempotency-key': key });
  }

  #storeCookies(lines: readonly string[]): void {
    for (const line of lines) {
      const [, name, value, attributes] = /^([^=]+)=([^;]*)(.*)$/.exec(line) as unknown as string[];
      if (/expires=Thu, 01 Jan 1970/i.test(attributes as string)) this.cookies.delete(name as string);
      else this.cookies.set(name as string, value as string);
    }
  }
}

/** Permissions of the Redis user in `lib/tiers/session-cache.ts`. */
export const REDIS_PERMISSIONS = ['+@all', '-@admin', '-@dangerous', '+info', '+role'];

export const PASSWORD = 'correct horse battery';

/** Inserts users into the database with a cheap password hash, so that logins are fast. */
export async function makeUsers(database: string, count: number): Promise<string[]> {
  const salt = randomBytes(16);
  const hash = scryptSync(PASSWORD, salt, 32, { N: 1024, r: 8, p: 1 });
  const stored = `$scrypt$ln=10,r=8,p=1$${salt.toString('base64')}$${hash.toString('base64')}`;
  const prefix = randomBytes(6).toString('hex');
  const emails = Array.from({ length: count }, (_, index) => `${prefix}-${index}@example.com`);
  await sql(database, 'INSERT INTO users (email, password_hash) SELECT unnest($1::text[]), $2', [emails, stored]);
  return emails;
}

/** Queries the database directly. */
// biome-ignore lint/suspicious/noExplicitAny: rows of any query
export async function sql(database: string, text: string, values: unknown[] = []): Promise<any[]> {
  const client = new Client({ connectionString: database });
  await client.connect();
  try {
    return (await client.query(text, values)).rows;
  } finally {
    await client.end();
  }
}

/** Adds 80 ms to each read of a cart, so that the database is the bottleneck and not the CPU. */
export async function slowDownCarts(database: string): Promise<void> {
  await sql(
    database,
    `ALTER TABLE cart_items RENAME TO kept_items;
     CREATE VIEW cart_items AS SELECT kept_items.* FROM kept_items, (SELECT pg_sleep(0.08)) AS slow`,
  );
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Waits until `check` returns true. Throws after `within` milliseconds, far longer than a slow machine needs. */
export async function eventually(check: () => Promise<boolean> | boolean, within = 120_000): Promise<void> {
  const end = Date.now() + within;
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`condition not met within ${within / 1000} s: ${check}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Retries a request after a 503, so that a busy machine does not fail the test. */
export async function retryOn503(send: () => Promise<Answer>): Promise<Answer> {
  let answer = await send();
  await eventually(async () => {
    if (answer.status === 503) answer = await send();
    return answer.status !== 503;
  });
  return answer;
}

/** Returns the process ids behind `url`, once there are `count` of them. */
export async function workers(url: string, count: number): Promise<number[]> {
  const pids = new Set<number>();
  await eventually(async () => {
    // One connection per request, because the cluster module distributes connections. A connection that it passes to a
    // worker during the kill gets no response.
    const init = { headers: { connection: 'close' }, signal: AbortSignal.timeout(5_000) };
    const answer = await fetch(`${url}/whoami`, init).catch(() => undefined);
    if (answer) pids.add(((await answer.json()) as { pid: number }).pid);
    return pids.size === count;
  });
  return [...pids];
}
