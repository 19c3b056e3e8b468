import type { Queryable } from '../db';

/** A row of the catalog; `image` is a path below `public/`. */
export interface ProductRow {
  readonly id: number;
  readonly name: string;
  readonly description: string;
  readonly category: string;
  readonly priceCents: number;
  readonly stock: number;
  readonly image: string;
}

export interface ProductFilter {
  readonly category?: string | undefined;
  /** Text to find in name or description, case-insensitive. */
  readonly text?: string | undefined;
}

const COLUMNS = 'id, name, description, category, price_cents AS "priceCents", stock, image';

/** Lists matching products by id, with the total count. One query, also for a page beyond the last. */
export async function listProducts(
  db: Queryable,
  filter: ProductFilter,
  limit: number,
  offset: number,
): Promise<{ readonly items: ProductRow[]; readonly total: number }> {
  const [found] = await db.query<{ items: ProductRow[]; total: number }>(
    `WITH matching AS (
       SELECT ${COLUMNS} FROM products
       WHERE ($1::text IS NULL OR category = $1)
         AND ($2::text IS NULL OR name ILIKE $2 OR description ILIKE $2)
     )
     SELECT (SELECT count(*)::int FROM matching) AS total,
            coalesce((SELECT json_agg(p) FROM (SELECT * FROM matching ORDER BY id LIMIT $3 OFFSET $4) p), '[]') AS items`,
    [filter.category ?? null, filter.text === undefined ? null : containsPattern(filter.text), limit, offset],
  );
  return found as { items: ProductRow[]; total: number };
}

export async function findProduct(db: Queryable, id: number): Promise<ProductRow | undefined> {
  const [product] = await db.query<ProductRow>(`SELECT ${COLUMNS} FROM products WHERE id = $1`, [id]);
  return product;
}

/** Lists the categories in the order of their first product. */
export async function listCategories(db: Queryable): Promise<string[]> {
  const rows = await db.query<{ category: string }>('SELECT category FROM products GROUP BY category ORDER BY min(id)');
  return rows.map(({ category }) => category);
}

/** Inserts missing products. Existing rows keep their stock, price and texts. */
export async function seedProducts(db: Queryable, products: readonly ProductRow[]): Promise<void> {
  await db.query(
    `INSERT INTO products (id, name, description, category, price_cents, stock, image)
     SELECT id, name, description, category, "priceCents", stock, image
     FROM json_to_recordset($1) AS p
       (id int, name text, description text, category text, "priceCents" int, stock int, image text)
     ON CONFLICT (id) DO NOTHING`,
    [JSON.stringify(products)],
  );
}

function containsPattern(text: string): string {
  return `%${text.replace(/[\\%_]/g, '\\$&')}%`;
}
