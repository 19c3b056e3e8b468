import type { Request, RequestHandler } from 'express';
import type { Config } from '../config';
import type { Database } from '../data/db';
import type { Redis } from '../data/redis';
import { CookieSessions } from './cookie';
import { StoredSessions } from './stored';
import { memoryStore, postgresStore, redisStore } from './stores';
import type { Sessions, Visitor } from './visitor';

export { COOKIE_SESSION_LIFETIME, SESSION_COOKIE, SESSION_LIFETIME } from './lifetimes';
export type { Sessions, Visitor } from './visitor';

export interface SessionDeps {
  readonly secret: string;
  readonly database: Database;
  /** Required by the kind `redis`. */
  readonly redis?: Redis | undefined;
  /** Called for errors in the background. */
  readonly onError: (...details: unknown[]) => void;
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

/** Middleware that sets `request.visitor`, and answers 503 if the session store does not respond. */
export function readVisitor(sessions: Sessions): RequestHandler {
  return async (request, _response, next) => {
    request.visitor = await sessions.read(request);
    next();
  };
}

/** Middleware that sets `request.session`, and `request.visitor` to the same object. */
export function openSession(sessions: Sessions): RequestHandler[] {
  const setVisitor: RequestHandler = (request, _response, next) => {
    request.visitor = request.session;
    next();
  };
  return [sessions.middleware, setVisitor];
}

/**
 * Logs the user in, in a new session: an id that an attacker planted or saw before the login becomes worthless. Resolves once
 * the session is saved.
 */
export async function startSession(request: Request, user: Required<Visitor>): Promise<void> {
  await finish(request, (done) => request.session.regenerate(done));
  Object.assign(request.session, user);
  await saveSession(request);
}

/** Resolves once the session is saved. */
export async function saveSession(request: Request): Promise<void> {
  await finish(request, (done) => request.session.save(done));
  // express-session saves a regenerated session again when the response ends, because it tracks only the session before.
  Object.defineProperty(request.session, 'save', { value: (done: () => void) => done() });
}

/** Ends the session in the store, so that copies of its cookie become worthless. */
export function endSession(request: Request): Promise<void> {
  return finish(request, (done) => request.session.destroy(done));
}

async function finish(request: Request, change: (done: (error?: unknown) => void) => void): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => change((error) => (error ? reject(error) : resolve())));
  } catch (error) {
    // Without a session, express-session does not try again at the end of the error response.
    request.session = null as never;
    throw error;
  }
}
