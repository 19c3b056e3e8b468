import type { Config } from '../config';
import { Database, type DatabaseSettings } from '../data/db';

/** Opens the primary database, through the connection pooler if there is one. */
export function openPrimary(
  { databaseProxy }: Config,
  settings: DatabaseSettings,
  onIdleError: (error: Error) => void,
): Database {
  if (databaseProxy === undefined) return new Database(settings, onIdleError);
  const proxied = 'url' in databaseProxy ? { connectionString: databaseProxy.url } : { ...settings, ...databaseProxy };
  return new Database(proxied, onIdleError, 'proxy');
}
