import { join } from 'node:path';
import { type AppBundle, buildApp } from '../../support/app-bundle';
import { type Postgres, startPostgres } from '../programs/postgres';
import { type ShopProcess, startShop } from '../programs/shop-process';
import { checkPortFree, DataFolder, SHOP_LOG } from './data-folder';
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
  readonly onProgress: (line: string) => void;
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
  const { phase, port, dir, fresh, onProgress } = options;
  await checkPortFree(port);
  const folder = await DataFolder.lock(dir, fresh);
  let database: Postgres | undefined;
  try {
    onProgress('building the app');
    const bundle = buildApp();
    onProgress('starting PostgreSQL');
    database = await startPostgres({ dir: folder.database, access: phase === 1 ? 'socket' : 'tls' });
    await database.createDatabase('shop');
    onProgress('starting the shop');
    const env = {
      HOST: '127.0.0.1',
      PORT: String(port),
      PHASE: String(phase),
      DATABASE_URL: database.url(),
      SESSION_STORE: 'postgres',
      SESSION_SECRET: folder.sessionSecret(),
      SERVER_NAME: NAME,
    };
    const shop = await SupervisedShop.start(() => startShop({ bundle, log: join(dir, SHOP_LOG), env }));
    let stopped: Promise<void> | undefined;
    const stopAll = async () => {
      await shop.stop();
      await database?.stop();
      folder.unlock();
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
    folder.unlock();
    throw error;
  }
}

const NAME = 'this-machine';
