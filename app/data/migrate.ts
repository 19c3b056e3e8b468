import { readdirSync } from 'node:fs';
import { type DatabaseClient, type DatabaseSettings, queryable, withClient } from './db';
import { seedProducts } from './repositories/products';
import { catalogue } from './seed';

/** Table in which node-pg-migrate records applied migrations. */
const MIGRATIONS_TABLE = 'migrations';

/**
 * Applies pending migrations from `dir`, then inserts missing products of the seed data. Safe to call from several
 * processes at once: a lock serializes them.
 *
 * @param dir folder of the `.sql` files
 * @throws Unavailable if the database does not respond; any other error means that a migration is wrong
 */
export async function migrate(settings: DatabaseSettings, dir: string, log: (line: string) => void): Promise<void> {
  await withClient(settings, async (client) => {
    if (!(await isCurrent(client, dir))) {
      const { runner } = await import('node-pg-migrate');
      // By default, the runner fails when another process holds the lock.
      const lock = { advisoryLockMode: 'wait' } as const;
      await runner({ dbClient: client, dir, direction: 'up', migrationsTable: MIGRATIONS_TABLE, ...lock, log });
    }
    await seedProducts(queryable(client), catalogue);
  });
}

/** Almost every start is up to date; this check saves loading the migration library. */
async function isCurrent(client: DatabaseClient, dir: string): Promise<boolean> {
  const { rows: tables } = await client.query('SELECT to_regclass($1) AS found', [MIGRATIONS_TABLE]);
  if (tables[0].found === null) return false;
  const { rows } = await client.query<{ name: string }>(`SELECT name FROM ${MIGRATIONS_TABLE}`);
  const applied = new Set(rows.map(({ name }) => name));
  return readdirSync(dir).every((file) => applied.has(file.replace(/\.sql$/, '')));
}
