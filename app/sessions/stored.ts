import { Signer } from '@fastify/cookie';
import session, { type SessionStore } from '@fastify/session';
import type { FastifyRequest, Session } from 'fastify';
import type { App } from '../http/fastify';
import { SESSION_COOKIE, SESSION_LIFETIME } from './lifetimes';
import type { Sessions, Visitor } from './sessions';

/** Sessions in a store that the servers share, or not; the cookie holds a signed id. */
export class StoredSessions implements Sessions {
  readonly #signer: Signer;

  constructor(
    private readonly store: SessionStore & { close?(): void },
    secret: string,
  ) {
    this.#signer = new Signer(secret);
  }

  register(scope: App): void {
    scope.register(session, {
      store: this.store,
      secret: this.#signer,
      cookieName: SESSION_COOKIE,
      saveUninitialized: false,
      rolling: false,
      cookie: { path: '/', httpOnly: true, sameSite: 'lax', secure: 'auto', maxAge: SESSION_LIFETIME * 1000 },
    });
  }

  async glance(request: FastifyRequest): Promise<Visitor> {
    const signed = request.cookies[SESSION_COOKIE];
    const id = signed === undefined ? null : this.#signer.unsign(signed).value;
    if (id === null) return {};
    try {
      return (
        (await new Promise<Session | null | undefined>((resolve, reject) => {
          this.store.get(id, (error, found) => (error ? reject(error) : resolve(found)));
        })) ?? {}
      );
    } catch (error) {
      request.log.warn({ err: error }, 'the page is shown without its session');
      return {};
    }
  }

  close(): void {
    this.store.close?.();
  }
}
