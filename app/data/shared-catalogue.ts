/** A cache that all servers share, such as Redis. Its methods reject soon when it is away. */
export interface SharedCache {
  /** What is kept under the key, and for how many milliseconds it still will be. */
  get(key: string): Promise<{ readonly text: string; readonly ttl: number } | undefined>;
  /**
   * @param ttl milliseconds
   * @param onlyIfAbsent keeps what is there
   * @returns whether it was set
   */
  set(key: string, text: string, ttl: number, onlyIfAbsent: boolean): Promise<boolean>;
}

/** Milliseconds for which an entry counts as fresh, with as much again at random: entries must not all expire at once. */
const FRESH = 5_000;

/** Milliseconds after that for which an entry is still shown while one server of all asks the database anew. */
const REVALIDATE = 30_000;

/** Milliseconds for which an entry that is not fresh is kept, for when the database is away. */
const KEEP = 600_000;

/** Milliseconds for which the one that asks the database keeps all others from it. */
const LOCK = 2_000;

/** Milliseconds between two looks whether that one has the answer, and for how long to look. */
const LOOK_AGAIN = 50;
const PATIENCE = 1_000;

/** Milliseconds for which the shared cache is not asked after it failed. */
const REST = 1_000;

export interface Loaded {
  /** The value as JSON. */
  readonly text: string;
  readonly from: 'shared' | 'database';
}

/**
 * Cache-aside for a fleet: an entry is looked up in the cache that all servers share; when it is missing or has aged, one
 * server asks the database, and the others show what they have or wait for it. When the shared cache is away, each goes
 * straight to the database, as if there were none.
 */
export class SharedCatalogue {
  #restUntil = 0;

  /** @param prefix of all keys; servers of another version may mean something else by the same key */
  constructor(
    private readonly cache: SharedCache,
    private readonly prefix: string,
  ) {}

  async load(key: string, query: () => Promise<string>): Promise<Loaded> {
    const name = `${this.prefix}:${key}`;
    const found = await this.#get(name);
    if (found?.age === 'fresh') return { text: found.text, from: 'shared' };
    if (!(await this.#isFirst(name))) {
      if (found?.age === 'aged') return { text: found.text, from: 'shared' };
      const text = await this.#waitFor(name);
      if (text !== undefined) return { text, from: 'shared' };
    }
    try {
      const text = await query();
      // Anybody can ask for what is not there.
      if (text !== 'null') await this.#set(name, text, KEEP + FRESH * (1 + Math.random()), false);
      return { text, from: 'database' };
    } catch (error) {
      if (found === undefined) throw error;
      return { text: found.text, from: 'shared' };
    }
  }

  async #get(name: string): Promise<{ text: string; age: 'fresh' | 'aged' | 'old' } | undefined> {
    const found = await this.#try(() => this.cache.get(name));
    if (found === undefined) return undefined;
    const age = found.ttl > KEEP ? 'fresh' : found.ttl > KEEP - REVALIDATE ? 'aged' : 'old';
    return { text: found.text, age };
  }

  /** Whether it falls to this process to ask the database; when nobody can tell, it does. */
  async #isFirst(name: string): Promise<boolean> {
    return (await this.#set(`${name}:lock`, '', LOCK, true)) ?? true;
  }

  async #waitFor(name: string): Promise<string | undefined> {
    for (const end = Date.now() + PATIENCE; Date.now() < end; ) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN));
      const found = await this.#get(name);
      if (found?.age === 'fresh') return found.text;
      if (this.#resting) return undefined;
    }
    return undefined;
  }

  #set(name: string, text: string, ttl: number, onlyIfAbsent: boolean): Promise<boolean | undefined> {
    return this.#try(() => this.cache.set(name, text, Math.round(ttl), onlyIfAbsent));
  }

  get #resting(): boolean {
    return Date.now() < this.#restUntil;
  }

  /** Undefined when the shared cache is away. */
  async #try<T>(ask: () => Promise<T>): Promise<T | undefined> {
    if (this.#resting) return undefined;
    try {
      return await ask();
    } catch {
      this.#restUntil = Date.now() + REST;
      return undefined;
    }
  }
}
