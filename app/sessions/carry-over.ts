import { LRUCache } from 'lru-cache';
import type { Database } from '../data/db';
import { hasLiveSessions, lockSession, removeSession } from '../data/repositories/sessions';
import type { SessionClient } from './session-client';

/** Milliseconds between two checks whether PostgreSQL has any live session. */
const RECHECK = 5_000;

/** Ids that neither store has, so that a repeated lookup costs no query. An id is never issued twice. */
const UNKNOWN = { max: 50_000, ttl: 600_000 };

/**
 * Moves sessions from PostgreSQL to Redis, each on its next request, so that no visitor is logged out between phases 2 and 3. Once
 * PostgreSQL has no live session left, only a small query every few seconds remains.
 */
export class CarryOver {
  #checkedAt = Number.NEGATIVE_INFINITY;
  #anyLeft: Promise<boolean> = Promise.resolve(false);
  readonly #unknown = new LRUCache<string, true>(UNKNOWN);

  constructor(
    private readonly client: Pick<SessionClient, 'get' | 'save'>,
    private readonly database: Database,
  ) {}

  /** Moves a session if PostgreSQL has it. Resolves to its JSON once Redis has confirmed it, or to null. */
  async take(id: string, key: string): Promise<string | null> {
    if (this.#unknown.has(id)) return null;
    const mayBeThere = await this.#mayHaveSome();
    const taken = mayBeThere ? await this.#move(id, key) : null;
    // Another server may have moved it meanwhile, even as the last one.
    const found = taken ?? (await this.client.get(key));
    if (found === null && mayBeThere) this.#unknown.set(id, true);
    return found;
  }

  #move(id: string, key: string): Promise<string | null> {
    return this.database.transaction(async (tx) => {
      const row = await lockSession(tx, id);
      if (row === undefined) return null;
      const isSaved = await this.client.save(key, row.json, row.ttlMs);
      await removeSession(tx, id);
      return isSaved ? row.json : null;
    });
  }

  /** Removes a session from PostgreSQL, after a move in progress has finished. */
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
