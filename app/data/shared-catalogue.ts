/** A cache shared by all servers, such as Redis. Its methods reject quickly when the cache is down. */
export interface SharedCache {
  /** Returns the text under `key` with its remaining time to live in milliseconds. */
  get(key: string): Promise<{ readonly text: string; readonly ttl: number } | undefined>;
  /**
   * @param ttl milliseconds
   * @param onlyIfAbsent keeps an existing entry
   * @returns whether the entry was set
   */
  set(key: string, text: string, ttl: number, onlyIfAbsent: boolean): Promise<boolean>;
}

/** Milliseconds for which an entry is fresh, plus a random part of up to the same, so that entries do not expire together. */
const FRESH = 5_000;

/** Milliseconds after that for which a stale entry is served while one server revalidates it. */
const STALE_WHILE_REVALIDATE = 30_000;

/** Milliseconds for which a stale entry is kept, in case the database is down. */
const STALE_IF_ERROR = 600_000;

/** Lifetime of the refresh lock in milliseconds. */
const LOCK_TTL = 2_000;

/** Interval and limit, in milliseconds, of waiting for the result of the server that holds the lock. */
const POLL_INTERVAL = 50;
const POLL_LIMIT = 1_000;

/** Milliseconds for which the circuit breaker stays open after the shared cache failed. */
const BREAKER_OPEN = 1_000;

export interface Loaded {
  /** The value as JSON. */
  readonly text: string;
  readonly from: 'shared' | 'database';
}

/**
 * Cache-aside for a fleet. When an entry is missing or stale, one server queries the database. The others serve the stale
 * entry or wait for the new one. When the shared cache is down, each server queries the database directly.
 */
export class SharedCatalogue {
  #breakerOpenUntil = 0;

  /** @param prefix of all keys: another version of the app may store a different value under the same key */
  constructor(
    private readonly cache: SharedCache,
    private readonly prefix: string,
  ) {}

  async load(key: string, query: () => Promise<string>): Promise<Loaded> {
    const name = `${this.prefix}:${key}`;
    const found = await this.#get(name);
    if (found?.state === 'fresh') return { text: found.text, from: 'shared' };
    if (!(await this.#takeLock(name))) {
      if (found?.state === 'stale') return { text: found.text, from: 'shared' };
      const text = await this.#waitForRefresh(name);
      if (text !== undefined) return { text, from: 'shared' };
    }
    try {
      const text = await query();
      // Do not cache misses: any client can request ids that do not exist.
      if (text !== 'null') await this.#set(name, text, STALE_IF_ERROR + FRESH * (1 + Math.random()), false);
      return { text, from: 'database' };
    } catch (error) {
      if (found === undefined) throw error;
      return { text: found.text, from: 'shared' };
    }
  }

  async #get(name: string): Promise<{ text: string; state: 'fresh' | 'stale' | 'expired' } | undefined> {
    const found = await this.#try(() => this.cache.get(name));
    if (found === undefined) return undefined;
    const fresh = found.ttl > STALE_IF_ERROR;
    const state = fresh ? 'fresh' : found.ttl > STALE_IF_ERROR - STALE_WHILE_REVALIDATE ? 'stale' : 'expired';
    return { text: found.text, state };
  }

  /** Takes the refresh lock; true if the lock is unavailable. */
  async #takeLock(name: string): Promise<boolean> {
    return (await this.#set(`${name}:lock`, '', LOCK_TTL, true)) ?? true;
  }

  async #waitForRefresh(name: string): Promise<string | undefined> {
    for (const end = Date.now() + POLL_LIMIT; Date.now() < end; ) {
      await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL));
      const found = await this.#get(name);
      if (found?.state === 'fresh') return found.text;
      if (this.#breakerIsOpen) return undefined;
    }
    return undefined;
  }

  #set(name: string, text: string, ttl: number, onlyIfAbsent: boolean): Promise<boolean | undefined> {
    return this.#try(() => this.cache.set(name, text, Math.round(ttl), onlyIfAbsent));
  }

  get #breakerIsOpen(): boolean {
    return Date.now() < this.#breakerOpenUntil;
  }

  /** Returns undefined when the shared cache is down. */
  async #try<T>(call: () => Promise<T>): Promise<T | undefined> {
    if (this.#breakerIsOpen) return undefined;
    try {
      return await call();
    } catch {
      this.#breakerOpenUntil = Date.now() + BREAKER_OPEN;
      return undefined;
    }
  }
}
