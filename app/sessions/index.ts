import type { FastifyRequest } from 'fastify';
import type { Config } from '../config';
import type { Database } from '../data/db';
import type { Redis } from '../data/redis';
import { CookieSessions } from './cookie';
import type { Sessions, Visitor } from './sessions';
import { StoredSessions } from './stored';
import { memoryStore, postgresStore, redisStore } from './stores';

export { COOKIE_SESSION_LIFETIME, SESSION_COOKIE, SESSION_LIFETIME } from './lifetimes';
export type { Sessions, Visitor } from './sessions';

export interface SessionDeps {
  readonly secret: string;
  readonly database: Database;
  /** Needed by the kind `redis`. */
  readonly redis?: Redis | undefined;
  /** Hears of what goes wrong in the background. */
  readonly onError: (...what: unknown[]) => void;
}

export function openSessions(kind: Config['sessionStore'], deps: SessionDeps): Sessions {
  switch (kind) {
    case 'memory':
      return new StoredSessions(memoryStore(), deps.secret);
    case 'postgres':
      return new StoredSessions(postgresStore(deps.database, deps.onError), deps.secret);
    case 'redis':
      if (!deps.redis) throw new Error('sessions in Redis need a Redis');
      return new StoredSessions(redisStore(deps.redis, deps.database), deps.secret);
    case 'cookie':
      return new CookieSessions(deps.secret);
  }
}

/**
 * Gives the visitor a new session and makes them the user. Resolves once it is saved; an id that somebody planted or saw
 * before the log-in is worth nothing then.
 */
export async function establish(request: FastifyRequest, user: Required<Visitor>): Promise<void> {
  await request.session.regenerate();
  Object.assign(request.session, user);
  await saveSession(request);
}

/** Resolves once the session is saved. */
export async function saveSession(request: FastifyRequest): Promise<void> {
  try {
    await request.session.save();
  } catch (error) {
    // Or the plugin would try again while the refusal is sent, and the visitor wait for that, too.
    request.session = null as never;
    throw error;
  }
}
