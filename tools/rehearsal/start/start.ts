import { join } from 'node:path';
import { type AppBundle, buildApp } from '../../support/app-bundle';
import { type Postgres, startPostgres } from '../programs/postgres';
import { type ShopProcess, startShop } from '../programs/shop-process';
import { checkPortFree, DataFolder, SHOP_LOG } from './data-folder';
import { SupervisedShop } from './supervised-shop';

export interface StartOptions {
  /** Phase to run: 1 (database on the same instance) or 2 (separate database, TLS). */
  readonly phase: 1 | 2;
  /** TCP port of the shop on loopback. */
  readonly port: number;
  /** Folder for data, secrets and logs, kept between runs. */
  readonly dir: string;
  /** Whether to delete the data of earlier runs in `dir`. */
  readonly fresh: boolean;
  /** Called with one line for each step. */
  readonly onProgress: (line: string) => void;
}

export interface RunningShop {
  readonly url: string;
  readonly bundle: AppBundle;
  readonly database: Postgres;
  /** Server name that the app reports. */
  readonly name: string;
  /** Current process of the app. */
  readonly shop: ShopProcess;
  /** Resolves to the exit code when the app exits unexpectedly, or null after a signal. */
  readonly ended: Promise<number | null>;
  /** Kills the app with SIGKILL and restarts it. Resolves when it is ready. */
  restart(): Promise<void>;
  /** Stops the app, then its database. Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Starts the shop on this machine with the topology of phase 1 or 2. Data, accounts and logins outlive a stop, a kill and a
 * change of phase, because both phases use the same cluster.
 *
 * @throws UsageError when the port is in use or another run has locked the folder
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
