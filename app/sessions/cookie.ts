import { hkdfSync } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../http/fastify';
import { COOKIE_SESSION_LIFETIME, SESSION_COOKIE } from './lifetimes';
import type { Sessions, Visitor } from './sessions';

/** Longest value that is looked at. The longest e-mail address makes about 600 characters; browsers keep 4096 in all. */
const MAX_LENGTH = 2_048;

/**
 * Sessions in the visitor's own cookie, encrypted and authenticated, with nothing on the server. No store can fail or fill up,
 * and no two servers need to share more than the secret. The price: a log-out only drops the cookie. Whoever copied it
 * before goes on until it expires.
 */
export class CookieSessions implements Sessions {
  readonly #key: Uint8Array;

  constructor(secret: string) {
    this.#key = new Uint8Array(hkdfSync('sha256', secret, '', 'shop: session in a cookie', 32));
  }

  register(scope: App): void {
    scope.decorateRequest('session');
    scope.addHook('onRequest', async (request, reply) => {
      const session = new CookieSession(reply, (visitor) => this.#seal(visitor));
      // The plugin of the other kinds declares its own type; the shop uses no more of it than this has.
      request.session = Object.assign(session, await this.glance(request)) as never;
    });
  }

  async glance(request: FastifyRequest): Promise<Visitor> {
    const sealed = request.cookies[SESSION_COOKIE];
    if (sealed === undefined || sealed.length > MAX_LENGTH) return {};
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
      // Expired, tampered with, or from before a change of the secret or of the store: nobody.
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

/** What the shop does with a session, on a cookie. */
class CookieSession implements Visitor {
  userId?: string;
  email?: string;
  cartId?: string;
  readonly #reply: FastifyReply;
  readonly #seal: (visitor: Visitor) => Promise<string>;

  constructor(reply: FastifyReply, seal: (visitor: Visitor) => Promise<string>) {
    this.#reply = reply;
    this.#seal = seal;
  }

  async save(): Promise<void> {
    this.#reply.setCookie(SESSION_COOKIE, await this.#seal(this), {
      path: '/',
      httpOnly: true,
      sameSite: 'lax',
      secure: this.#reply.request.protocol === 'https',
      maxAge: COOKIE_SESSION_LIFETIME,
    });
  }

  /** There is no id that somebody could have planted; what was in the session is left behind. */
  async regenerate(): Promise<void> {
    this.userId = undefined;
    this.email = undefined;
    this.cartId = undefined;
  }

  async destroy(): Promise<void> {
    await this.regenerate();
    this.#reply.clearCookie(SESSION_COOKIE, { path: '/' });
  }
}
