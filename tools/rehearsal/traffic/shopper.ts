import { STICKY_COOKIE } from '../programs/haproxy';
import { Ledger } from './ledger';
import type { Kind, Outcome } from './messages';

/** One request of a visitor. */
export interface Call {
  readonly kind: Kind;
  readonly method: 'GET' | 'POST';
  /** A path of the shop, or the absolute URL of a static file. */
  readonly path: string;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * Statuses besides 2xx and 3xx that count as success, such as 409 when a product is sold out.
   *
   * @default - none
   */
  readonly expected?: readonly number[];
  /**
   * Sent without think time, such as an image of the page just loaded.
   *
   * @default false
   */
  readonly immediate?: boolean;
}

export interface Answer {
  readonly outcome: Outcome;
  /** 0 without a response. */
  readonly status: number;
  readonly text: string;
}

/** A sequence of requests; receives the response to each before the next. */
export type Journey = Generator<Call, unknown, Answer>;

export interface Account {
  readonly email: string;
  readonly password: string;
  /** The sign-up got no response; the account may not exist. */
  readonly unconfirmed?: true;
}

/** A visitor with a browser's cookies and cache of static files. */
export class Shopper {
  readonly ledger = new Ledger();
  readonly fetched = new Set<string>();
  readonly #cookies = new Map<string, string>();
  account: Account | undefined;
  journey: Journey | undefined;
  /** Whether a sticky balancer moved this visitor to another server. */
  moved = false;

  /** @param address source address on loopback */
  constructor(readonly address: string) {}

  get cookie(): string | undefined {
    if (this.#cookies.size === 0) return undefined;
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  storeCookies(lines: readonly string[]): void {
    for (const line of lines) {
      const [pair = '', ...attributes] = line.split(';');
      const [name = '', value = ''] = pair.split(/=(.*)/s);
      if (name === STICKY_COOKIE && (this.#cookies.get(name) ?? value) !== value) this.moved = true;
      const expired = attributes.some((one) => /^\s*expires=Thu, 01 Jan 1970/i.test(one));
      if (expired) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
  }
}
