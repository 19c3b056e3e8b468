import { parseCookie } from 'cookie';
import { sign, unsign } from 'cookie-signature';
import type { Request, RequestHandler } from 'express';

/** Position in the primary's log that a reader must see. `undefined`: any. `'everything'`: all writes so far. */
export type MinLsn = bigint | 'everything' | undefined;

/** The replicas of a database. `Reader` runs queries. */
export interface ReplicaReads<Reader> {
  /** Whether there are replicas. */
  readonly any: boolean;
  /** Returns a reader that sees at least this position. */
  seeing(min: MinLsn): Reader;
  /** Current position of the primary, or `'everything'` if the primary does not answer. Must not reject. */
  position(): Promise<MinLsn>;
}

const COOKIE = 'wrote';

/**
 * Gives visitors read-your-writes consistency with asynchronous replicas. A signed cookie holds the position of the primary's log
 * after the visitor's last write, so every server knows it, and no store is needed.
 */
export class ReadYourWrites<Reader> {
  /**
   * @param secret signs the cookie
   * @param lifetime seconds after which every replica in use has replayed any write
   */
  constructor(
    private readonly replicas: ReplicaReads<Reader>,
    private readonly secret: string,
    private readonly lifetime: number,
  ) {}

  /** Middleware that sets the cookie on the responses to writes. */
  readonly remember: RequestHandler = (request, response, next) => {
    if (!this.replicas.any || isRead(request)) return next();
    const end = response.end;
    response.end = (...body: unknown[]) => {
      response.end = end;
      const send = () => Reflect.apply(end, response, body);
      // A 4xx has changed nothing.
      if (response.headersSent || (response.statusCode >= 400 && response.statusCode < 500)) return send();
      this.#position(response.statusCode).then((position) => {
        response.cookie(COOKIE, sign(String(position), this.secret), {
          httpOnly: true,
          sameSite: 'lax',
          secure: request.secure,
          maxAge: this.lifetime * 1000,
        });
        send();
      });
      return response;
    };
    next();
  };

  /** Returns where to read the visitor's own data. A request that writes reads from the primary. */
  reader(request: Request): Reader {
    return this.replicas.seeing(this.replicas.any && isRead(request) ? this.#lastWrite(request) : 'everything');
  }

  async #position(status: number): Promise<MinLsn> {
    // After a 5xx, the write may have happened.
    return status >= 500 ? 'everything' : this.replicas.position().catch(() => 'everything' as const);
  }

  #lastWrite({ headers }: Request): MinLsn {
    const signed = parseCookie(headers.cookie ?? '')[COOKIE];
    if (signed === undefined) return undefined;
    const position = unsign(signed, this.secret);
    return position !== false && /^\d{1,20}$/.test(position) ? BigInt(position) : 'everything';
  }
}

function isRead({ method }: Request): boolean {
  return method === 'GET' || method === 'HEAD';
}
