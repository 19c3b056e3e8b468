import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds until a visitor asks again who was refused or got no answer. */
const RETRY = 100;

/** Milliseconds after which a visitor gives an answer up. */
const PATIENCE = 15_000;

/** Milliseconds between two looks of the one visitor who only reads: at their orders, which are in the database. */
const READ_EVERY = 50;

export interface ShopTrafficOptions {
  /** Where the shop answers. */
  readonly url: string;
  /** Who shops; each does one thing at a time. */
  readonly visitors: number;
  /** Writes a second, of all visitors together: additions to carts and orders in turn. */
  readonly writes: number;
  /** Products are those with the ids from 1 to this. */
  readonly products: number;
}

/** What visitors were promised, and what they had to bear. */
export interface Promised {
  /** Ids of orders that were acknowledged. */
  readonly orders: readonly string[];
  /** By e-mail address: pieces that were put into the cart for certain, and those of which no answer came. */
  readonly pieces: ReadonlyMap<string, { readonly certain: number; readonly unknown: number }>;
  /** Writes that were acknowledged. */
  readonly acknowledged: number;
  /** Answers 503. */
  readonly refused: number;
  /** Answers that nobody should get, such as that somebody is logged out. */
  readonly wrong: readonly string[];
  /** Longest time in milliseconds without an acknowledged write. */
  readonly longestGap: number;
  readonly reads: number;
  readonly readsFailed: number;
}

/** Visitors who fill their carts and order, and ask again with the same key until they have an answer. */
export class ShopTraffic {
  readonly #orders: string[] = [];
  readonly #pieces = new Map<string, { certain: number; unknown: number }>();
  readonly #wrong: string[] = [];
  readonly #idle: Visitor[] = [];
  #acknowledged = 0;
  #refused = 0;
  #longestGap = 0;
  #lastWrite = 0;
  #reads = 0;
  #readsFailed = 0;
  #stopping = false;
  #busy: Promise<unknown> = Promise.resolve();

  private constructor(private readonly options: ShopTrafficOptions) {}

  /** Signs the visitors up, and lets them begin. */
  static async begin(options: ShopTrafficOptions): Promise<ShopTraffic> {
    const traffic = new ShopTraffic(options);
    for (let index = 0; index < options.visitors; index += 1) {
      traffic.#idle.push(await Visitor.signUp(options.url, `visitor-${index}@example.com`));
    }
    traffic.#lastWrite = performance.now();
    const reader = await Visitor.signUp(options.url, 'reader@example.com');
    traffic.#busy = Promise.all([traffic.#write(), traffic.#read(reader)]);
    return traffic;
  }

  get readsFailed(): number {
    return this.#readsFailed;
  }

  /** Lets everybody end what they do. */
  async end(): Promise<Promised> {
    this.#stopping = true;
    await this.#busy;
    return {
      orders: this.#orders,
      pieces: this.#pieces,
      acknowledged: this.#acknowledged,
      refused: this.#refused,
      wrong: this.#wrong,
      longestGap: this.#longestGap,
      reads: this.#reads,
      readsFailed: this.#readsFailed,
    };
  }

  async #write(): Promise<void> {
    const begin = performance.now();
    const going = new Set<Promise<void>>();
    for (let count = 0; !this.#stopping; count += 1) {
      const wait = begin + (count * 1000) / this.options.writes - performance.now();
      if (wait > 0) await sleep(wait);
      // When all wait for an answer the shop is behind, and nobody else would come.
      const visitor = this.#idle.shift();
      if (visitor === undefined) continue;
      const doing = this.#act(visitor).finally(() => {
        going.delete(doing);
        this.#idle.push(visitor);
      });
      going.add(doing);
    }
    await Promise.all(going);
  }

  async #act(visitor: Visitor): Promise<void> {
    visitor.turn += 1;
    const product = 1 + (visitor.turn % this.options.products);
    const ordering = visitor.turn % 2 === 0;
    const key = String(visitor.turn);
    for (;;) {
      const answer = ordering
        ? await visitor.ask('POST', '/api/orders', undefined, { 'idempotency-key': key })
        : await visitor.ask('POST', '/api/cart/items', { productId: product, quantity: 1 });
      if (answer?.status === (ordering ? 201 : 200)) {
        if (ordering) this.#orders.push(answer.body.id as string);
        else this.#count(visitor, 'certain');
        this.#wrote();
        return;
      }
      if (answer === undefined || answer.status === 503) {
        if (answer) this.#refused += 1;
        if (!ordering) this.#count(visitor, 'unknown');
        await sleep(RETRY);
        continue;
      }
      this.#wrong.push(`${ordering ? 'an order' : 'an addition'} was answered ${answer.status}`);
      return;
    }
  }

  #count(visitor: Visitor, what: 'certain' | 'unknown'): void {
    const pieces = this.#pieces.get(visitor.email) ?? { certain: 0, unknown: 0 };
    pieces[what] += 1;
    this.#pieces.set(visitor.email, pieces);
  }

  #wrote(): void {
    const now = performance.now();
    this.#acknowledged += 1;
    this.#longestGap = Math.max(this.#longestGap, now - this.#lastWrite);
    this.#lastWrite = now;
  }

  async #read(reader: Visitor): Promise<void> {
    while (!this.#stopping) {
      const answer = await reader.ask('GET', '/api/orders');
      this.#reads += 1;
      if (answer?.status !== 200) this.#readsFailed += 1;
      await sleep(READ_EVERY);
    }
  }
}

class Visitor {
  turn = 0;

  private constructor(
    private readonly url: string,
    readonly email: string,
    private cookie: string,
  ) {}

  static async signUp(url: string, email: string): Promise<Visitor> {
    const visitor = new Visitor(url, email, '');
    const answer = await visitor.ask('POST', '/api/signup', { email, password: 'correct horse battery' });
    if (answer?.status !== 201) throw new Error(`a visitor could not sign up: ${answer?.status ?? 'no answer'}`);
    return visitor;
  }

  /** Undefined when no answer came. */
  async ask(method: 'GET' | 'POST', path: string, body?: unknown, headers: Record<string, string> = {}) {
    try {
      const response = await fetch(this.url + path, {
        method,
        headers: {
          cookie: this.cookie,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(PATIENCE),
      });
      const set = response.headers.getSetCookie().find((line) => line.startsWith('sid='));
      if (set) this.cookie = set.split(';')[0] as string;
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    } catch {
      return undefined;
    }
  }
}
