import { STICKY_COOKIE } from '../programs/haproxy';
import { Ledger } from './ledger';
import type { Kind, Outcome } from './messages';

/** One request of a visitor. */
export interface Call {
  readonly kind: Kind;
  readonly method: 'GET' | 'POST';
  /** A path of the shop, or the whole URL of a static file. */
  readonly path: string;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * Statuses besides 2xx that are right here, such as 409 for what the shop's own rules refuse.
   *
   * @default - none
   */
  readonly also?: readonly number[];
  /**
   * Part of what was just asked for, such as a page's picture: due at once, without a look at the page first.
   *
   * @default false
   */
  readonly atOnce?: boolean;
}

export interface Answer {
  readonly outcome: Outcome;
  /** 0 without an answer. */
  readonly status: number;
  readonly text: string;
}

/** What a visitor does, one request after the other; it goes on with the answer to each. */
export type Journey = Generator<Call, unknown, Answer>;

export interface Account {
  readonly email: string;
  readonly password: string;
  /** Its sign-up was not answered: there may be no such account. */
  readonly unsure?: true;
}

/** A visitor with a browser: cookies, and static files that are not fetched twice. */
export class Shopper {
  readonly ledger = new Ledger();
  readonly fetched = new Set<string>();
  readonly #cookies = new Map<string, string>();
  account: Account | undefined;
  journey: Journey | undefined;
  /** Whether a sticky balancer sent them to another server than before. */
  moved = false;

  /** @param address where on loopback they come from */
  constructor(readonly address: string) {}

  get cookie(): string | undefined {
    if (this.#cookies.size === 0) return undefined;
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  keepCookies(lines: readonly string[]): void {
    for (const line of lines) {
      const [pair = '', ...attributes] = line.split(';');
      const [name = '', value = ''] = pair.split(/=(.*)/s);
      if (name === STICKY_COOKIE && (this.#cookies.get(name) ?? value) !== value) this.moved = true;
      const gone = attributes.some((one) => /^\s*expires=Thu, 01 Jan 1970/i.test(one));
      if (gone) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
  }
}
