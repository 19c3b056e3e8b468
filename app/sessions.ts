import { EventEmitter } from 'node:events';
import { Signer } from '@fastify/cookie';
import type { FastifySessionOptions, SessionStore } from '@fastify/session';
import connectPgSimple from 'connect-pg-simple';
import type { FastifyRequest, Session } from 'fastify';
import { LRUCache } from 'lru-cache';
import type { Config } from './config';
import type { Database } from './db';

declare module 'fastify' {
  interface Session {
    /** Set while logged in; then `email` and `cartId` are set too. */
    userId?: string;
    email?: string;
    /** The visitor's cart, or the user's. */
    cartId?: string;
  }
}

/** What a session says about the visitor. */
export type Visitor = Pick<Session, 'userId' | 'email' | 'cartId'>;

export const SESSION_COOKIE = 'sid';

/**
 * Seconds that a session lives, counted from log-in or from the first product in the cart. It is not prolonged: that
 * would cost a write for each page that is read, and a session that never ends can be stolen for ever.
 */
export const SESSION_LIFETIME = 14 * 24 * 3600;

/** Sessions that `memory` keeps; the oldest go first. */
const MAX_IN_MEMORY = 100_000;

/** Where sessions are kept, and what the shop does with them. Phase 3 adds its stores in `openStore`. */
export class Sessions {
  readonly #store: SessionStore;
  readonly #close: () => void;
  readonly #signer: Signer;

  constructor(kind: Config['sessionStore'], secret: string, database: Database, onError: (...args: unknown[]) => void) {
    const { store, close } = openStore(kind, database, onError);
    this.#store = store;
    this.#close = close;
    this.#signer = new Signer(secret);
  }

  /** Options of the plugin that gives routes a `request.session`. */
  get pluginOptions(): FastifySessionOptions {
    return {
      store: this.#store,
      secret: this.#signer,
      cookieName: SESSION_COOKIE,
      saveUninitialized: false,
      rolling: false,
      cookie: { path: '/', httpOnly: true, sameSite: 'lax', secure: 'auto', maxAge: SESSION_LIFETIME * 1000 },
    };
  }

  /**
   * Who the visitor is, for pages that only show it: never starts, saves or changes a session, and reads as nobody when
   * the store does not answer, so that such pages outlive it.
   *
   * @param request its cookies are parsed
   */
  async glance(request: FastifyRequest): Promise<Visitor> {
    const signed = request.cookies[SESSION_COOKIE];
    const id = signed === undefined ? null : this.#signer.unsign(signed).value;
    if (id === null) return {};
    try {
      return (
        (await new Promise<Session | null | undefined>((resolve, reject) => {
          this.#store.get(id, (error, found) => (error ? reject(error) : resolve(found)));
        })) ?? {}
      );
    } catch (error) {
      request.log.warn({ err: error }, 'the page is shown without its session');
      return {};
    }
  }

  close(): void {
    this.#close();
  }
}

/**
 * Gives the visitor a new session id and makes them the user. Resolves once it is saved; an id that somebody planted or saw
 * before the log-in is worth nothing then.
 */
export async function establish(request: FastifyRequest, user: Required<Visitor>): Promise<void> {
  await request.session.regenerate();
  Object.assign(request.session, user);
  await request.session.save();
}

function openStore(
  kind: Config['sessionStore'],
  database: Database,
  onError: (...args: unknown[]) => void,
): { store: SessionStore; close: () => void } {
  if (kind === 'memory') {
    return { store: memoryStore(), close: () => {} };
  }
  // It extends the base class of express-session, and needs no more of it than this.
  const PgStore = connectPgSimple({ Store: EventEmitter } as never);
  const store = new PgStore({
    pool: { query: database.execute } as never,
    tableName: 'sessions',
    errorLog: onError,
  });
  return { store: store as unknown as SessionStore, close: () => void store.close() };
}

/** The plugin's own keeps the request that each session began with, and never lets go of any. */
function memoryStore(): SessionStore {
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
