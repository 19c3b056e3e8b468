import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Config } from '../config';
import { Database, type DatabaseSettings, poolSize } from '../data/db';
import { migrate } from '../data/migrate';
import { Unavailable } from '../errors';

/** Longest pause in milliseconds before the database is tried again. */
const MAX_PAUSE = 5_000;

/**
 * Brings the database to this version and finds out how many connections each process may open. Waits for a database that
 * is not there yet: on a new server the two may come up in any order.
 *
 * @throws when a migration is wrong
 */
export async function prepareDatabase(
  config: Config,
  settings: DatabaseSettings,
  migrationsDir: string,
  log: Logger,
): Promise<number> {
  for (let pause = 100; ; pause = Math.min(MAX_PAUSE, pause * 2)) {
    try {
      await migrate(settings, migrationsDir, (line) => log.debug(line));
      return await connectionsFor(config, settings, log);
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      log.warn({ err: error.cause }, 'waiting for the database');
      await sleep(pause);
    }
  }
}

async function connectionsFor(config: Config, settings: DatabaseSettings, log: Logger): Promise<number> {
  const database = new Database(settings, () => {});
  try {
    const limits = await database.connectionLimits();
    const processes = config.webConcurrency * config.maxServers;
    const size = poolSize(limits, processes);
    log.debug({ ...limits, processes, size }, 'connections of each process');
    return size;
  } finally {
    await database.close();
  }
}
