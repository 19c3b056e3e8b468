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

/** Products per page of the catalog. */
export const PAGE_SIZE = 12;

/** Minimum milliseconds for which an entry is fresh. A random time up to the same length is added: entries must not expire together. */
const TTL = 1_500;

/** Milliseconds between two queries while the database is down and stale entries are served. */
const RETRY = 1_000;

/** Pages of a list in the shared cache. Anyone can request page 10,000. */
const SHARED_PAGES = 50;

/** Maximum number of entries, because a search can be any text. The least recently used ones are dropped first. */
const MAX_ENTRIES = 2_000;

interface Entry {
  readonly value: unknown;
  /** `value` as JSON, so that it is serialized once. */
  readonly json: Buffer;
  readonly from: 'shared' | 'database';
}

/** How a missing entry is loaded. */
interface Lookup {
  readonly query: () => Promise<unknown>;
  /** Whether the shared cache may hold it. Rare entries would only fill it. */
  readonly share: boolean;
}

/** An entry of the catalog. */
export interface Cached<T> {
  readonly value: T;
  readonly json: Buffer;
  /** A miss queried the database. */
  readonly cache: 'hit' | 'miss';
  /** Time of `performance.now()` until which this process serves this entry. */
  readonly freshUntil: number;
}

/**
 * The catalog as visitors see it, up to some seconds old: stock on a page is a hint, and checkout checks it again. An entry comes from
 * this process, else from the cache shared by all servers, else from the database. Concurrent misses of an entry cost one query. While
 * the database is down, stale entries are served.
 */
export class CatalogueCache {
  /** Lookups since the start of the process, by source. Waiting for a concurrent lookup counts as `near`. */
  readonly counters = { near: 0, shared: 0, database: 0 };

  readonly #cache: LRUCache<string, Entry, Lookup>;

  /** @param keeps whether entries are cached. Without it, each lookup is a query, to demonstrate what the cache saves. */
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
        const load = async () => JSON.stringify((await query()) ?? null);
        try {
          const { text, from } =
            share && shared ? await shared.load(key, load) : ({ text: await load(), from: 'database' } as const);
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

  /** @param page the first page is 1 */
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
