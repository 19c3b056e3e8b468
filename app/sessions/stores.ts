import connectPgSimple from 'connect-pg-simple';
import { RedisStore } from 'connect-redis';
import session from 'express-session';
import { LRUCache } from 'lru-cache';
import type { Database } from '../data/db';
import type { Redis } from '../data/redis';
import { CarryOver } from './carry-over';
import { SESSION_LIFETIME } from './lifetimes';
import { SessionClient } from './session-client';

/** Maximum number of sessions in memory. The least recently used ones are dropped first. */
const MAX_IN_MEMORY = 100_000;

export function postgresStore(database: Database, onError: (...details: unknown[]) => void): session.Store {
  const PgStore = connectPgSimple(session);
  return new PgStore({
    pool: { query: database.execute } as never,
    tableName: 'sessions',
    disableTouch: true,
    errorLog: onError,
  });
}

/** The store of express-session has no limit and is not for production. */
export function memoryStore(): session.Store {
  return new MemoryStore();
}

class MemoryStore extends session.Store {
  readonly #sessions = new LRUCache<string, string>({ max: MAX_IN_MEMORY, ttl: SESSION_LIFETIME * 1000 });

  override get(id: string, done: (error: unknown, session?: session.SessionData | null) => void): void {
    const json = this.#sessions.get(id);
    done(null, json === undefined ? null : JSON.parse(json));
  }

  override set(id: string, data: session.SessionData, done?: (error?: unknown) => void): void {
    this.#sessions.set(id, JSON.stringify(data));
    done?.();
  }

  override destroy(id: string, done?: (error?: unknown) => void): void {
    this.#sessions.delete(id);
    done?.();
  }
}

const PREFIX = 'session:';

/** Sessions in Redis. Those that PostgreSQL still has from an earlier phase move on their next request. */
export function redisStore(redis: Redis, database: Database): session.Store {
  const client = new SessionClient(redis.commands);
  const carryOver = new CarryOver(client, database);
  const idOf = (key: string) => key.slice(PREFIX.length);
  return new RedisStore({
    client: {
      get: async (key: string) => (await client.get(key)) ?? (await carryOver.take(idOf(key), key)),
      set: (key: string, value: string, options: { expiration: { type: 'EX'; value: number } }) =>
        client.set(key, value, options),
      expire: (key: string, seconds: number) => client.expire(key, seconds),
      del: async (keys: string[]) => {
        // First, because a move in progress holds the row: its copy must exist before it can be removed.
        await Promise.all(keys.map((key) => carryOver.forget(idOf(key))));
        await client.del(keys);
      },
    },
    prefix: PREFIX,
    disableTouch: true,
  });
}
