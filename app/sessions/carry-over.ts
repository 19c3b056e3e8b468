import { LRUCache } from 'lru-cache';
import type { Database } from '../data/db';
import type { Redis } from '../data/redis';
import { hasLiveSessions, lockSession, removeSession } from '../data/repositories/sessions';

/** Milliseconds after which PostgreSQL is asked again whether it has any live session at all. */
const RECHECK = 5_000;

/** Ids that neither store knows, remembered so that asking for them costs no query. An id is never given twice. */
const UNKNOWN = { max: 50_000, ttl: 600_000 };

/**
 * Moves sessions from PostgreSQL to Redis, each when its visitor comes by, so that nobody is logged out on the move from
 * phase 2 to 3. It ends by itself: with the last live session gone from PostgreSQL, what is left is a tiny query now and then.
 */
export class CarryOver {
  #checkedAt = Number.NEGATIVE_INFINITY;
  #anyLeft: Promise<boolean> = Promise.resolve(false);
  readonly #unknown = new LRUCache<string, true>(UNKNOWN);

  constructor(
    private readonly redis: Redis,
    private readonly database: Database,
  ) {}

  /** Moves the session of that id, when PostgreSQL has it. Resolves to its JSON once Redis has it as safely as any other. */
  async take(id: string, key: string): Promise<Buffer | undefined> {
    if (this.#unknown.has(id)) return undefined;
    const mayBeThere = await this.#mayHaveSome();
    const taken = mayBeThere ? await this.#move(id, key) : undefined;
    // Another server may have been faster, and that may have been the last one.
    const found = taken ?? (await this.redis.get(key));
    if (found === undefined && mayBeThere) this.#unknown.set(id, true);
    return found;
  }

  #move(id: string, key: string): Promise<Buffer | undefined> {
    return this.database.transaction(async (tx) => {
      const row = await lockSession(tx, id);
      if (row === undefined) return undefined;
      const isSaved = await this.redis.save(key, row.json, row.ttlMs);
      await removeSession(tx, id);
      return isSaved ? Buffer.from(row.json) : undefined;
    });
  }

  /** Removes the session from PostgreSQL; waits for a take-over of it that is under way. */
  async forget(id: string): Promise<void> {
    if (await this.#mayHaveSome()) await removeSession(this.database, id);
  }

  #mayHaveSome(): Promise<boolean> {
    const now = performance.now();
    if (now - this.#checkedAt > RECHECK) {
      this.#checkedAt = now;
      this.#anyLeft = hasLiveSessions(this.database);
      this.#anyLeft.catch(() => {
        this.#checkedAt = Number.NEGATIVE_INFINITY;
      });
    }
    return this.#anyLeft;
  }
}
