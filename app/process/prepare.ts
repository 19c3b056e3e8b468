import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Config } from '../config';
import { Database, type DatabaseSettings, poolSize } from '../data/db';
import { migrate } from '../data/migrate';
import { Unavailable } from '../errors';

/** Maximum delay in milliseconds before the database is retried. */
const MAX_DELAY = 5_000;

/**
 * Migrates the database and returns the pool size of each process. Waits while the database is unavailable: a new instance
 * may start the app first.
 *
 * @throws Error if a migration is wrong
 */
export async function prepareDatabase(
  config: Config,
  settings: DatabaseSettings,
  migrationsDir: string,
  log: Logger,
): Promise<number> {
  for (let delay = 100; ; delay = Math.min(MAX_DELAY, delay * 2)) {
    try {
      await migrate(settings, migrationsDir, (line) => log.debug(line));
      return await connectionsFor(config, settings, log);
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      log.warn({ err: error.cause }, 'waiting for the database');
      await sleep(delay);
    }
  }
}

async function connectionsFor(config: Config, settings: DatabaseSettings, log: Logger): Promise<number> {
  const database = new Database(settings, () => {});
  try {
    const limits = await database.connectionLimits();
    const processes = config.webConcurrency * config.maxServers;
    const size = poolSize(limits, processes);
    log.debug({ ...limits, processes, size }, 'pool size of each process');
    return size;
  } finally {
    await database.close();
  }
}
