import { randomBytes, scryptSync } from 'node:crypto';
import { Client } from 'pg';
import type { Account } from './shopper';

/** Pieces of each product before anybody comes, so that a long rehearsal does not sell out. */
const STOCK = 1_000_000;

const PASSWORD = 'correct horse battery';

/** An order as the database has it. */
export interface KeptOrder {
  readonly id: string;
  readonly email: string;
  readonly key: string;
  /** Pieces by product. */
  readonly lines: Readonly<Record<string, number>>;
}

/**
 * Fills the shelves, and makes accounts of customers who have been here before. Their passwords are hashed at a small part of
 * the usual cost: all of a laptop's cores would do little else than check passwords, and those who sign up show the full cost.
 */
export async function stock(databaseUrl: string, accounts: number): Promise<Account[]> {
  const salt = randomBytes(16);
  const hash = scryptSync(PASSWORD, salt, 32, { N: 1024, r: 8, p: 1 });
  const stored = `$scrypt$ln=10,r=8,p=1$${salt.toString('base64')}$${hash.toString('base64')}`;
  const prefix = randomBytes(6).toString('hex');
  const emails = Array.from({ length: accounts }, (_, index) => `${prefix}-${index}@example.com`);
  return asking(databaseUrl, async (database) => {
    await database.query('BEGIN');
    // Waits for sales that are still being written: a calibration may have left some.
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

export interface Books {
  readonly orders: readonly KeptOrder[];
  /** Products whose stock is below 0, or is not what was there before less what was sold since. */
  readonly stockErrors: number;
  readonly receiptsWaiting: number;
}

/** What the database knows of what happened since {@link stock}. */
export async function readBooks(databaseUrl: string): Promise<Books> {
  return asking(databaseUrl, async (database) => {
    const { rows: orders } = await database.query<KeptOrder>(
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

async function asking<T>(databaseUrl: string, ask: (database: Client) => Promise<T>): Promise<T> {
  const database = new Client({ connectionString: databaseUrl });
  await database.connect();
  try {
    return await ask(database);
  } finally {
    await database.end();
  }
}
