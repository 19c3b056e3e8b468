import { hkdfSync } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { parseCookie } from 'cookie';
import type { RequestHandler, Response } from 'express';
import { COOKIE_SESSION_LIFETIME, SESSION_COOKIE } from './lifetimes';
import type { Sessions, Visitor } from './visitor';

/** Maximum length of a value. The longest email address needs about 600 characters. Browsers store 4096 per cookie. */
const MAX_LENGTH = 2_048;

/**
 * Sessions in the visitor's cookie, encrypted and authenticated, without server-side storage. No store can fail, and servers share
 * only the secret. The disadvantage: logout only deletes the cookie. A copy stays valid until it expires.
 */
export class CookieSessions implements Sessions {
  readonly #key: Uint8Array;

  constructor(secret: string) {
    this.#key = new Uint8Array(hkdfSync('sha256', secret, '', 'shop: session in a cookie', 32));
  }

  readonly middleware: RequestHandler = async (request, response, next) => {
    const session = new CookieSession(response, (visitor) => this.#seal(visitor));
    // The type is that of express-session. The shop uses only the members that this session has as well.
    request.session = Object.assign(session, await this.read(request)) as never;
    next();
  };

  async read({ headers }: IncomingMessage): Promise<Visitor> {
    const sealed = headers.cookie && parseCookie(headers.cookie)[SESSION_COOKIE];
    if (!sealed || sealed.length > MAX_LENGTH) return {};
    const { jwtDecrypt } = await import('jose');
    try {
      const { payload } = await jwtDecrypt<Visitor>(sealed, this.#key, {
        keyManagementAlgorithms: ['dir'],
        contentEncryptionAlgorithms: ['A256GCM'],
        requiredClaims: ['exp'],
      });
      const { userId, email, cartId } = payload;
      return { userId, email, cartId } as Visitor;
    } catch {
      // Expired, tampered with, or from before a change of the secret or the store.
      return {};
    }
  }

  close(): void {}

  async #seal({ userId, email, cartId }: Visitor): Promise<string> {
    const { EncryptJWT } = await import('jose');
    return new EncryptJWT({ userId, email, cartId })
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
      .setExpirationTime(`${COOKIE_SESSION_LIFETIME} s`)
      .encrypt(this.#key);
  }
}

type Done = (error?: unknown) => void;

/** The members of express-session's session that the shop uses. */
class CookieSession implements Visitor {
  userId?: string;
  email?: string;
  cartId?: string;
  readonly #response: Response;
  readonly #seal: (visitor: Visitor) => Promise<string>;

  constructor(response: Response, seal: (visitor: Visitor) => Promise<string>) {
    this.#response = response;
    this.#seal = seal;
  }

  save(done: Done): void {
    this.#seal(this).then((sealed) => {
      this.#response.cookie(SESSION_COOKIE, sealed, {
        httpOnly: true,
        sameSite: 'lax',
        secure: this.#response.req.secure,
        maxAge: COOKIE_SESSION_LIFETIME * 1000,
      });
      done();
    }, done);
  }

  /** There is no id that an attacker could have planted. Only the content is dropped. */
  regenerate(done: Done): void {
    this.#clear();
    done();
  }

  destroy(done: Done): void {
    this.#clear();
    this.#response.clearCookie(SESSION_COOKIE);
    done();
  }

  #clear(): void {
    this.userId = undefined;
    this.email = undefined;
    this.cartId = undefined;
  }
}
