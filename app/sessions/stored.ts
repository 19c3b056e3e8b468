import type { IncomingMessage } from 'node:http';
import { parseCookie } from 'cookie';
import { unsign } from 'cookie-signature';
import type { RequestHandler } from 'express';
import session from 'express-session';
import { LRUCache } from 'lru-cache';
import { SESSION_COOKIE, SESSION_LIFETIME } from './lifetimes';
import type { Sessions, Visitor } from './visitor';

/** Prefix of signed values in the cookies of express-session. */
const SIGNED = 's:';

/** Cookies whose signature was verified. Verifying one takes a tenth of the CPU time of a session read. */
const VERIFIED = { max: 20_000 };

/** Sessions in a store, by express-session. The cookie contains a signed id. */
export class StoredSessions implements Sessions {
  readonly middleware: RequestHandler;
  /** Id by cookie. A cookie that is not among them may still be valid. */
  readonly #verified = new LRUCache<string, string>(VERIFIED);

  constructor(
    private readonly store: session.Store & { close?(): void },
    private readonly secret: string,
  ) {
    const sessions = session({
      store,
      secret,
      name: SESSION_COOKIE,
      resave: false,
      saveUninitialized: false,
      cookie: { path: '/', httpOnly: true, sameSite: 'lax', secure: 'auto', maxAge: SESSION_LIFETIME * 1000 },
    });
    this.middleware = (request, response, next) => {
      addPrefix(request);
      sessions(request, response, next);
    };
  }

  async read(request: IncomingMessage): Promise<Visitor> {
    const id = this.#idOf(request);
    if (id === undefined) return {};
    const found = await new Promise<session.SessionData | null | undefined>((resolve, reject) => {
      this.store.get(id, (error, data) => (error ? reject(error) : resolve(data)));
    });
    return found ?? {};
  }

  close(): void {
    this.store.close?.();
  }

  #idOf({ headers }: IncomingMessage): string | undefined {
    const cookie = headers.cookie && parseCookie(headers.cookie)[SESSION_COOKIE];
    if (!cookie) return undefined;
    const verified = this.#verified.get(cookie);
    if (verified !== undefined) return verified;
    // V8 keeps the whole header in memory for as long as one of its parts.
    const copy = Buffer.from(cookie).toString();
    const id = unsign(copy.startsWith(SIGNED) ? copy.slice(SIGNED.length) : copy, this.secret) || undefined;
    if (id !== undefined) this.#verified.set(copy, id);
    return id;
  }
}

const WITHOUT_PREFIX = new RegExp(`(?<=^|; ?)${SESSION_COOKIE}=(?!s(?::|%3A))`, 'i');

/** Versions before Express wrote the cookie without the prefix. Their visitors stay logged in. */
function addPrefix({ headers }: IncomingMessage): void {
  if (headers.cookie) headers.cookie = headers.cookie.replace(WITHOUT_PREFIX, `${SESSION_COOKIE}=${SIGNED}`);
}
