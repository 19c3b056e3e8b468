import { readdirSync } from 'node:fs';
import { type DatabaseClient, type DatabaseSettings, queryable, withClient } from './db';
import { seedProducts } from './repositories/products';
import { catalogue } from './seed';

/** Where node-pg-migrate keeps what it has applied. */
const MIGRATIONS_TABLE = 'migrations';

/**
 * Brings the database to this version: the migrations in `dir` that are missing, then the catalogue. Any number of
 * processes may call it at once; they take turns.
 *
 * @param dir folder of the `.sql` files
 * @throws Unavailable when the database does not answer; any other error means that a migration is wrong
 */
export async function migrate(settings: DatabaseSettings, dir: string, log: (line: string) => void): Promise<void> {
  await withClient(settings, async (client) => {
    if (!(await isCurrent(client, dir))) {
      const { runner } = await import('node-pg-migrate');
      // The default lock mode is to fail when another process is at it.
      const lock = { advisoryLockMode: 'wait' } as const;
      await runner({ dbClient: client, dir, direction: 'up', migrationsTable: MIGRATIONS_TABLE, ...lock, log });
    }
    await seedProducts(queryable(client), catalogue);
  });
}

/** Almost every start finds nothing to do; then it should not cost the loading of the migration library. */
async function isCurrent(client: DatabaseClient, dir: string): Promise<boolean> {
  const { rows: tables } = await client.query('SELECT to_regclass($1) AS found', [MIGRATIONS_TABLE]);
  if (tables[0].found === null) return false;
  const { rows } = await client.query<{ name: string }>(`SELECT name FROM ${MIGRATIONS_TABLE}`);
  const applied = new Set(rows.map(({ name }) => name));
  return readdirSync(dir).every((file) => applied.has(file.replace(/\.sql$/, '')));
}
