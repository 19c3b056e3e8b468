import { EventEmitter } from 'node:events';
import type { SessionStore } from '@fastify/session';
import connectPgSimple from 'connect-pg-simple';
import type { Session } from 'fastify';
import { LRUCache } from 'lru-cache';
import type { Database } from '../data/db';
import type { Redis } from '../data/redis';
import { CarryOver } from './carry-over';
import { SESSION_LIFETIME } from './lifetimes';

/** Sessions that `memory` keeps; the oldest go first. */
const MAX_IN_MEMORY = 100_000;

export function postgresStore(
  database: Database,
  onError: (...what: unknown[]) => void,
): SessionStore & { close(): void } {
  // It extends the base class of express-session, and needs no more of it than this.
  const PgStore = connectPgSimple({ Store: EventEmitter } as never);
  const store = new PgStore({
    pool: { query: database.execute } as never,
    tableName: 'sessions',
    errorLog: onError,
  });
  return store as unknown as SessionStore & { close(): void };
}

/** The plugin's own keeps the request that each session began with, and never lets go of any. */
export function memoryStore(): SessionStore {
  const sessions = new LRUCache<string, string>({ max: MAX_IN_MEMORY, ttl: SESSION_LIFETIME * 1000 });
  return {
    get(id, done) {
      const json = sessions.get(id);
      done(null, json === undefined ? null : JSON.parse(json));
    },
    set(id, session, done) {
      sessions.set(id, JSON.stringify(session));
      done();
    },
    destroy(id, done) {
      sessions.delete(id);
      done();
    },
  };
}

/** Sessions that PostgreSQL still has from an earlier phase are taken over when their visitor comes by. */
export function redisStore(redis: Redis, database: Database): SessionStore {
  const carryOver = new CarryOver(redis, database);
  const find = async (id: string): Promise<Session | null> => {
    const json = (await redis.get(keyOf(id))) ?? (await carryOver.take(id, keyOf(id)));
    return json === undefined ? null : JSON.parse(json.toString());
  };
  const save = (id: string, session: Session) =>
    redis.save(keyOf(id), JSON.stringify(session), session.cookie.maxAge ?? SESSION_LIFETIME * 1000);
  const destroy = async (id: string) => {
    // In this order: a take-over that is under way holds the row, and its copy must be there to be removed.
    await carryOver.forget(id);
    await redis.remove(keyOf(id));
  };
  return {
    get(id, done) {
      find(id).then((session) => done(null, session), done);
    },
    set(id, session, done) {
      // A session that a concurrent request has ended stays ended.
      save(id, session).then(() => done(), done);
    },
    destroy(id, done) {
      destroy(id).then(() => done(), done);
    },
  };
}

function keyOf(id: string): string {
  return `session:${id}`;
}
