import { LRUCache } from 'lru-cache';
import type { Queryable } from './db';
import {
  findProduct,
  listCategories,
  listProducts,
  type ProductFilter,
  type ProductRow,
} from './repositories/products';
import type { Product, ProductList } from './types';

/** Products on one page of the catalogue. */
export const PAGE_SIZE = 12;

/** Milliseconds for which an answer counts as fresh, with as much again at random: entries must not all expire at once. */
const TTL = 1_500;

/** Milliseconds until the database is asked again after it failed, while the last answer is served. */
const RETRY = 1_000;

/** Searches can be anything; what is asked for most stays. */
const MAX_ENTRIES = 2_000;

interface Entry {
  readonly value: unknown;
  /** `value` as JSON, so that the API need not serialise it for each visitor. */
  readonly json: Buffer;
}

/** An answer from the catalogue. */
export interface Cached<T> {
  readonly value: T;
  readonly json: Buffer;
  readonly cache: 'hit' | 'miss';
}

/**
 * The catalogue as visitors see it, at most {@link TTL} x 2 old: stock on a page is a hint, and checkout looks again.
 * Concurrent misses for the same entry cost one query. While the database is away, what was seen last is served.
 */
export class CatalogueCache {
  /** Since the process started. A miss is a query; waiting for another visitor's query is a hit. */
  readonly counters = { hits: 0, misses: 0 };

  readonly #cache: LRUCache<string, Entry, () => Promise<unknown>>;

  constructor(
    private readonly database: Queryable,
    private readonly imageUrl: (image: string) => string,
  ) {
    this.#cache = new LRUCache<string, Entry, () => Promise<unknown>>({
      max: MAX_ENTRIES,
      ttl: TTL,
      fetchMethod: async (_key, stale, { options, context: load }) => {
        try {
          const value = await load();
          options.ttl = TTL * (1 + Math.random());
          return { value, json: Buffer.from(JSON.stringify(value ?? null)) };
        } catch (error) {
          if (stale === undefined) throw error;
          options.ttl = RETRY;
          return stale;
        }
      },
    });
  }

  /** @param page starts at 1 */
  list(filter: ProductFilter, page: number): Promise<Cached<ProductList>> {
    return this.#get(JSON.stringify(['list', filter.category, filter.text, page]), async () => {
      const { items, total } = await listProducts(this.database, filter, PAGE_SIZE, (page - 1) * PAGE_SIZE);
      return { items: items.map(this.#toProduct), page, total };
    });
  }

  product(id: number): Promise<Cached<Product | undefined>> {
    return this.#get(`product ${id}`, async () => {
      const row = await findProduct(this.database, id);
      return row && this.#toProduct(row);
    });
  }

  async categories(): Promise<readonly string[]> {
    return (await this.#get('categories', () => listCategories(this.database))).value;
  }

  async #get<T>(key: string, load: () => Promise<T>): Promise<Cached<T>> {
    const status: LRUCache.Status<string, Entry, () => Promise<unknown>> = {};
    const entry = await this.#cache.forceFetch(key, { context: load, status });
    const cache = status.fetch === 'hit' || status.fetch === 'inflight' ? 'hit' : 'miss';
    this.counters[cache === 'hit' ? 'hits' : 'misses'] += 1;
    return { value: entry.value as T, json: entry.json, cache };
  }

  readonly #toProduct = ({ image, ...product }: ProductRow): Product => ({
    ...product,
    imageUrl: this.imageUrl(image),
  });
}
