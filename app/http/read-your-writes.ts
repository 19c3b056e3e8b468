import { Signer } from '@fastify/cookie';
import type { FastifyRequest } from 'fastify';
import type { Queryable } from '../data/db';
import { type MinLsn, type Replicas, WRITE_MEMORY } from '../data/replicas';
import type { App } from './fastify';

const COOKIE = 'wrote';

/**
 * Keeps visitors from reading a state older than their own last write. Where the primary's log was after it travels in a
 * signed cookie, so it holds on every server, under every session store, and costs no look-up.
 */
export class ReadYourWrites {
  readonly #signer: Signer;

  constructor(secret: string) {
    this.#signer = new Signer(secret);
  }

  /** Sets the cookie on what answers a write. Needs the cookie plugin. */
  remember(app: App, replicas: Replicas): void {
    if (!replicas.any) return;
    app.addHook('onSend', async (request, reply) => {
      // A refusal changed nothing; after a failure nobody can tell.
      if (isRead(request) || (reply.statusCode >= 400 && reply.statusCode < 500)) return;
      const seen = reply.statusCode >= 500 ? 'everything' : await replicas.position();
      reply.setCookie(COOKIE, this.#signer.sign(String(seen)), {
        path: '/',
        httpOnly: true,
        sameSite: 'lax',
        secure: 'auto',
        maxAge: WRITE_MEMORY,
      });
    });
  }

  /** Where to read what belongs to this visitor. What answers a write is read where it was written. */
  reader(request: FastifyRequest, replicas: Replicas): Queryable {
    return replicas.seeing(isRead(request) ? this.#seen(request) : 'everything');
  }

  #seen(request: FastifyRequest): MinLsn {
    const signed = request.cookies[COOKIE];
    if (signed === undefined) return undefined;
    const { value } = this.#signer.unsign(signed);
    return value !== null && /^\d{1,20}$/.test(value) ? BigInt(value) : 'everything';
  }
}

function isRead({ method }: FastifyRequest): boolean {
  return method === 'GET' || method === 'HEAD';
}
