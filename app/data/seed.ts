import seed from './catalogue.json';

/** A product as the database is seeded with it. */
export interface CatalogueEntry {
  /** Ids run from 1 without a gap and never change: carts, orders and links refer to them. A new product goes at the end. */
  readonly id: number;
  readonly name: string;
  readonly description: string;
  /** One of {@link categories}. They alternate, so that the first page shows something of each. */
  readonly category: string;
  readonly priceCents: number;
  /** Items in stock when the product is inserted. */
  readonly stock: number;
  /** File below `public/`. */
  readonly image: string;
}

export const categories: readonly string[] = seed.categories;

export const catalogue: readonly CatalogueEntry[] = seed.products;

const images = new Map(catalogue.map(({ id, image }) => [id, image]));

/** Returns the picture of a product as a file below `public/`; undefined when the seed does not have the product. */
export function imageOf(productId: number): string | undefined {
  return images.get(productId);
}
