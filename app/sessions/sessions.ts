import type { FastifyRequest, Session } from 'fastify';
import type { App } from '../http/fastify';

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

/** Where sessions are kept, and what the shop does with them. */
export interface Sessions {
  /** Gives the routes of `scope` a `request.session`; cookies are parsed there. */
  register(scope: App): void;

  /**
   * Who the visitor is, for pages that only show it: never starts, saves or changes a session, and reads as nobody when
   * the store does not answer, so that such pages outlive it.
   *
   * @param request its cookies are parsed
   */
  glance(request: FastifyRequest): Promise<Visitor>;

  close(): void;
}
