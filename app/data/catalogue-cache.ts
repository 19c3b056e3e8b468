import { LRUCache } from 'lru-cache';
import type { Product, ProductList } from '../types';
import type { Queryable } from './db';
import {
  findProduct,
  listCategories,
  listProducts,
  type ProductFilter,
  type ProductRow,
} from './repositories/products';
import type { SharedCatalogue } from './shared-catalogue';

/** Products on one page of the catalogue. */
export const PAGE_SIZE = 12;

/** Milliseconds for which an answer counts as fresh, with as much again at random: entries must not all expire at once. */
const TTL = 1_500;

/** Milliseconds until the database is asked again after it failed, while the last answer is served. */
const RETRY = 1_000;

/** Pages of a list that go into the shared cache; anybody can ask for page 10,000. */
const SHARED_PAGES = 50;

/** Searches can be anything; what is asked for most stays. */
const MAX_ENTRIES = 2_000;

interface Entry {
  readonly value: unknown;
  /** `value` as JSON, so that the API need not serialise it for each visitor. */
  readonly json: Buffer;
  readonly from: 'shared' | 'database';
}

/** How an entry is found when this process has none. */
interface Lookup {
  readonly query: () => Promise<unknown>;
  /** Whether to ask the cache that all servers share first. What is asked for once in a while would only fill it. */
  readonly share: boolean;
}

/** An answer from the catalogue. */
export interface Cached<T> {
  readonly value: T;
  readonly json: Buffer;
  /** A miss queried the database. */
  readonly cache: 'hit' | 'miss';
  /** Time of `performance.now()` until which this process gives the same answer. */
  readonly freshUntil: number;
}

/**
 * The catalogue as visitors see it, some seconds old: stock on a page is a hint, and checkout looks again. An entry is
 * looked for in this process, then in the cache that all servers share, if there is one, then in the database. Concurrent
 * misses for the same entry cost one query. While the database is away, what was seen last is served.
 */
export class CatalogueCache {
  /** Answers since the process started, by where they came from; waiting for another visitor's look-up counts as `near`. */
  readonly counters = { near: 0, shared: 0, database: 0 };

  readonly #cache: LRUCache<string, Entry, Lookup>;

  /** @param keeps whether it keeps anything; without, to show what that is for, each answer is a query */
  constructor(
    private readonly database: Queryable,
    private readonly imageUrl: (image: string) => string,
    shared?: SharedCatalogue,
    private readonly keeps = true,
  ) {
    this.#cache = new LRUCache<string, Entry, Lookup>({
      max: MAX_ENTRIES,
      ttl: TTL,
      fetchMethod: async (key, stale, { options, context: { query, share } }) => {
        const ask = async () => JSON.stringify((await query()) ?? null);
        try {
          const { text, from } =
            share && shared ? await shared.load(key, ask) : ({ text: await ask(), from: 'database' } as const);
          options.ttl = TTL * (1 + Math.random());
          return { value: JSON.parse(text) ?? undefined, json: Buffer.from(text), from };
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
    const query = async () => {
      const { items, total } = await listProducts(this.database, filter, PAGE_SIZE, (page - 1) * PAGE_SIZE);
      return { items: items.map(this.#toProduct), page, total };
    };
    const key = JSON.stringify(['list', filter.category, filter.text, page]);
    return this.#get(key, { query, share: filter.text === undefined && page <= SHARED_PAGES });
  }

  product(id: number): Promise<Cached<Product | undefined>> {
    const query = async () => {
      const row = await findProduct(this.database, id);
      return row && this.#toProduct(row);
    };
    return this.#get(`product ${id}`, { query, share: true });
  }

  categories(): Promise<Cached<readonly string[]>> {
    return this.#get('categories', { query: () => listCategories(this.database), share: true });
  }

  async #get<T>(key: string, lookup: Lookup): Promise<Cached<T>> {
    if (!this.keeps) {
      const value = (await lookup.query()) as T;
      this.counters.database += 1;
      return { value, json: Buffer.from(JSON.stringify(value ?? null)), cache: 'miss', freshUntil: 0 };
    }
    const status: LRUCache.Status<string, Entry, Lookup> = {};
    const entry = await this.#cache.forceFetch(key, { context: lookup, status });
    const from = status.fetch === 'hit' || status.fetch === 'inflight' ? 'near' : entry.from;
    this.counters[from] += 1;
    const freshUntil = performance.now() + this.#cache.getRemainingTTL(key);
    return { value: entry.value as T, json: entry.json, cache: from === 'database' ? 'miss' : 'hit', freshUntil };
  }

  readonly #toProduct = ({ image, ...product }: ProductRow): Product => ({
    ...product,
    imageUrl: this.imageUrl(image),
  });
}
