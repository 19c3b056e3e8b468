import seed from './catalogue.json';

/** A product of the seed data. */
export interface CatalogueEntry {
  /** Consecutive from 1 and never changed, because carts, orders and links refer to it. Append new products at the end. */
  readonly id: number;
  readonly name: string;
  readonly description: string;
  /** One of {@link categories}. They alternate, so that the first page shows products of each. */
  readonly category: string;
  readonly priceCents: number;
  /** Items in stock when the product is inserted. */
  readonly stock: number;
  /** Path below `public/`. */
  readonly image: string;
}

export const categories: readonly string[] = seed.categories;

export const catalogue: readonly CatalogueEntry[] = seed.products;

const images = new Map(catalogue.map(({ id, image }) => [id, image]));

/** Returns the path of a product's picture below `public/`; undefined if the product is not in the seed data. */
export function imageOf(productId: number): string | undefined {
  return images.get(productId);
}
