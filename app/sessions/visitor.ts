import type { IncomingMessage } from 'node:http';
import type { RequestHandler } from 'express';

/** The session's content. */
export interface Visitor {
  /** Set while logged in, together with `email` and `cartId`. */
  userId?: string;
  email?: string;
  /** The visitor's cart, or the user's. */
  cartId?: string;
}

declare module 'express-session' {
  interface SessionData extends Visitor {}
}

declare global {
  namespace Express {
    interface Request {
      /** Who sent the request; set by `readVisitor`. */
      visitor: Visitor;
    }
  }
}

/** Where sessions are stored. */
export interface Sessions {
  /** Gives a request its `request.session`. Only for routes that start, change or end a session. */
  readonly middleware: RequestHandler;

  /**
   * Reads who the visitor is. Starts, saves and changes no session, so it takes a fraction of the middleware's time.
   *
   * @throws if the store does not answer
   */
  read(request: IncomingMessage): Promise<Visitor>;

  close(): void;
}
