import { randomBytes, scryptSync } from 'node:crypto';
import { Client } from 'pg';
import type { Account } from './shopper';

/** Initial stock of each product, so that a long rehearsal does not sell out. */
const STOCK = 1_000_000;

const PASSWORD = 'correct horse battery';

/** An order in the database. */
export interface StoredOrder {
  readonly id: string;
  readonly email: string;
  readonly key: string;
  /** Items by product id. */
  readonly lines: Readonly<Record<string, number>>;
}

/**
 * Replenishes the stock and creates customer accounts. Their passwords are hashed at reduced cost: at full cost, logins would
 * use most of a laptop's processor time. Sign-ups during the traffic use the full cost.
 */
export async function seedShop(databaseUrl: string, accounts: number): Promise<Account[]> {
  const salt = randomBytes(16);
  const hash = scryptSync(PASSWORD, salt, 32, { N: 1024, r: 8, p: 1 });
  const stored = `$scrypt$ln=10,r=8,p=1$${salt.toString('base64')}$${hash.toString('base64')}`;
  const prefix = randomBytes(6).toString('hex');
  const emails = Array.from({ length: accounts }, (_, index) => `${prefix}-${index}@example.com`);
  return withDatabase(databaseUrl, async (database) => {
    await database.query('BEGIN');
    // Waits for orders that a calibration may still be writing.
    await database.query('LOCK TABLE products IN SHARE ROW EXCLUSIVE MODE');
    await database.query(
      `UPDATE products SET stock = $1 - (SELECT coalesce(sum(quantity), 0) FROM order_items WHERE product_id = products.id)`,
      [STOCK],
    );
    await database.query('COMMIT');
    await database.query('INSERT INTO users (email, password_hash) SELECT unnest($1::text[]), $2', [emails, stored]);
    return emails.map((email) => ({ email, password: PASSWORD }));
  });
}

export interface DatabaseState {
  readonly orders: readonly StoredOrder[];
  /** Products whose stock is negative, or differs from the initial stock minus the items sold. */
  readonly stockErrors: number;
  readonly receiptsWaiting: number;
}

/** Reads orders, stock and receipts since {@link seedShop}. */
export async function readDatabaseState(databaseUrl: string): Promise<DatabaseState> {
  return withDatabase(databaseUrl, async (database) => {
    const { rows: orders } = await database.query<StoredOrder>(
      `SELECT o.id, u.email, o.idempotency_key AS key, json_object_agg(i.product_id, i.quantity) AS lines
       FROM orders o JOIN users u ON u.id = o.user_id JOIN order_items i ON i.order_id = o.id
       GROUP BY o.id, u.email, o.idempotency_key`,
    );
    const { rows: wrong } = await database.query(
      `SELECT p.id FROM products p LEFT JOIN order_items i ON i.product_id = p.id
       GROUP BY p.id HAVING p.stock < 0 OR p.stock + coalesce(sum(i.quantity), 0) <> $1`,
      [STOCK],
    );
    const { rows: waiting } = await database.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM orders WHERE status <> 'fulfilled'`,
    );
    return { orders, stockErrors: wrong.length, receiptsWaiting: waiting[0]?.count ?? 0 };
  });
}

async function withDatabase<T>(databaseUrl: string, run: (database: Client) => Promise<T>): Promise<T> {
  const database = new Client({ connectionString: databaseUrl });
  await database.connect();
  try {
    return await run(database);
  } finally {
    await database.end();
  }
}
