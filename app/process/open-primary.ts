import type { Config } from '../config';
import { Database, type DatabaseSettings } from '../db';

/** The database that is written to, through the connection pooler where there is one. */
export function openPrimary(
  { databaseProxyHost }: Config,
  settings: DatabaseSettings,
  onIdleError: (error: Error) => void,
): Database {
  return databaseProxyHost === undefined
    ? new Database(settings, onIdleError)
    : new Database({ ...settings, host: databaseProxyHost }, onIdleError, 'proxy');
}
