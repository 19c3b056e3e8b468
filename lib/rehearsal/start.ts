import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type AppBundle, buildApp } from '../app-bundle';
import { UsageError } from '../usage-error';
import { type Postgres, removePostgres, startPostgres } from './postgres';
import { type ShopProcess, startShop } from './shop-process';
import { SupervisedShop } from './supervised-shop';

export interface StartOptions {
  /** Phase whose shape is started: 1 (database on the same box) or 2 (database on its own, TLS between them). */
  readonly phase: 1 | 2;
  /** TCP port of the shop on loopback. */
  readonly port: number;
  /** Folder that keeps data, secrets and logs between runs. */
  readonly dir: string;
  /** Throw away what an earlier run kept in `dir`. */
  readonly fresh: boolean;
  /** Told one line for each step. */
  readonly say: (line: string) => void;
}

export interface RunningShop {
  readonly url: string;
  readonly bundle: AppBundle;
  readonly database: Postgres;
  /** What the app calls itself. */
  readonly name: string;
  /** The app as it runs now. */
  readonly shop: ShopProcess;
  /** Settles when the app ends by itself: with its exit code, or null when a signal ended it. */
  readonly ended: Promise<number | null>;
  /** SIGKILL to the app, and a start anew. Resolves when it is ready. */
  restart(): Promise<void>;
  /** Stops the app, then its database. Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Starts the shop on this machine in the shape of a phase. Data, accounts and log-ins outlive a stop, a kill and a change of
 * the phase: both phases work on the same cluster.
 *
 * @throws UsageError when the port is taken or another run holds the folder
 */
export async function startLocally(options: StartOptions): Promise<RunningShop> {
  await checkPortFree(options.port);
  checkNotHeld(options.dir);
  if (options.fresh) await discard(options.dir);
  mkdirSync(options.dir, { recursive: true });
  const release = hold(options.dir);
  let database: Postgres | undefined;
  try {
    options.say('building the app');
    const bundle = buildApp();
    options.say('starting PostgreSQL');
    database = await startPostgres({
      dir: join(options.dir, POSTGRES),
      access: options.phase === 1 ? 'socket' : 'tls',
    });
    await database.createDatabase('shop');
    options.say('starting the shop');
    const env = {
      HOST: '127.0.0.1',
      PORT: String(options.port),
      PHASE: String(options.phase),
      DATABASE_URL: database.url(),
      SESSION_STORE: 'postgres',
      SESSION_SECRET: keepSecret(join(options.dir, SESSION_SECRET)),
      SERVER_NAME: NAME,
    };
    const shop = await SupervisedShop.start(() => startShop({ bundle, log: join(options.dir, SHOP_LOG), env }));
    let stopped: Promise<void> | undefined;
    const stopAll = async () => {
      await shop.stop();
      await database?.stop();
      release();
    };
    return {
      url: `http://localhost:${shop.process.port}`,
      bundle,
      database,
      name: NAME,
      get shop() {
        return shop.process;
      },
      ended: shop.ended,
      restart: () => shop.restart(),
      stop: () => {
        stopped ??= stopAll();
        return stopped;
      },
    };
  } catch (error) {
    await database?.stop();
    release();
    throw error;
  }
}

const NAME = 'this-machine';

/** What a run keeps in its folder; the names that `fresh` removes, and no others. */
const POSTGRES = 'postgres';
export const SHOP_LOG = 'shop.log';
const SESSION_SECRET = 'session-secret';
const HOLDER = 'holder.pid';

async function discard(dir: string): Promise<void> {
  await removePostgres(join(dir, POSTGRES));
  for (const name of [SHOP_LOG, SESSION_SECRET]) rmSync(join(dir, name), { force: true });
}

function checkPortFree(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new UsageError(`--port ${port}: in use; stop what listens there, or give another from 1024 to 65535`)
          : error,
      );
    });
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve()));
  });
}

/** Two runs over one cluster would stop each other's database. */
function checkNotHeld(dir: string): void {
  const file = join(dir, HOLDER);
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, 'utf8'));
  if (Number.isInteger(pid) && pid !== process.pid && isRunOfOurs(pid)) {
    throw new UsageError(`${dir}: held by the run with process id ${pid}; stop it, or give another --dir`);
  }
}

function hold(dir: string): () => void {
  const file = join(dir, HOLDER);
  writeFileSync(file, String(process.pid));
  return () => rmSync(file, { force: true });
}

/** A killed run leaves its file behind, and its process id may belong to something else by now. */
function isRunOfOurs(pid: number): boolean {
  try {
    const command = execFileSync('ps', ['-p', String(pid), '-o', 'command='], { encoding: 'utf8' });
    return command.includes('cli.ts') && command.includes('start');
  } catch {
    return false;
  }
}

/** Kept, so that a restart logs nobody out. */
function keepSecret(file: string): string {
  if (!existsSync(file)) writeFileSync(file, randomBytes(32).toString('base64url'), { mode: 0o600 });
  return readFileSync(file, 'utf8');
}
