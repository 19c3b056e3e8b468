import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds before a retry after a 503 or a failed request. */
const RETRY_DELAY = 100;

/** Request timeout in milliseconds. */
const TIMEOUT = 15_000;

/** Milliseconds between the order list reads of the one visitor who only reads. */
const READ_INTERVAL = 50;

export interface ShopTrafficOptions {
  /** Base URL of the shop. */
  readonly url: string;
  /** Number of visitors. Each sends one request at a time. */
  readonly visitors: number;
  /** Writes per second, of all visitors together. Each visitor alternates cart additions and orders. */
  readonly writes: number;
  /** Product ids run from 1 to this number. */
  readonly products: number;
}

/** Acknowledged writes and the failures that visitors saw. */
export interface TrafficResult {
  /** Ids of acknowledged orders. */
  readonly orders: readonly string[];
  /** Items by e-mail address: acknowledged additions, and additions without a response. */
  readonly items: ReadonlyMap<string, { readonly certain: number; readonly unknown: number }>;
  /** Number of acknowledged writes. */
  readonly acknowledged: number;
  /** Number of 503 responses. */
  readonly refused: number;
  /** Invalid responses, such as a 401 for a logged-in visitor. */
  readonly wrong: readonly string[];
  /** Longest time without an acknowledged write, in milliseconds. */
  readonly longestGap: number;
  readonly reads: number;
  readonly readsFailed: number;
}

/** Simulates visitors who add to carts and order. Orders are retried with the same idempotency key until they succeed. */
export class ShopTraffic {
  readonly #orders: string[] = [];
  readonly #items = new Map<string, { certain: number; unknown: number }>();
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

  /** Signs the visitors up and starts the traffic. */
  static async start(options: ShopTrafficOptions): Promise<ShopTraffic> {
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

  /** Stops the traffic after the pending requests. */
  async end(): Promise<TrafficResult> {
    this.#stopping = true;
    await this.#busy;
    return {
      orders: this.#orders,
      items: this.#items,
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
    const pending = new Set<Promise<void>>();
    for (let count = 0; !this.#stopping; count += 1) {
      const wait = begin + (count * 1000) / this.options.writes - performance.now();
      if (wait > 0) await sleep(wait);
      // With all visitors waiting for a response, this write is skipped.
      const visitor = this.#idle.shift();
      if (visitor === undefined) continue;
      const write = this.#writeOnce(visitor).finally(() => {
        pending.delete(write);
        this.#idle.push(visitor);
      });
      pending.add(write);
    }
    await Promise.all(pending);
  }

  async #writeOnce(visitor: Visitor): Promise<void> {
    visitor.turn += 1;
    const product = 1 + (visitor.turn % this.options.products);
    const isOrder = visitor.turn % 2 === 0;
    const key = String(visitor.turn);
    for (;;) {
      const response = isOrder
        ? await visitor.send('POST', '/api/orders', undefined, { 'idempotency-key': key })
        : await visitor.send('POST', '/api/cart/items', { productId: product, quantity: 1 });
      if (response?.status === (isOrder ? 201 : 200)) {
        if (isOrder) this.#orders.push(response.body.id as string);
        else this.#count(visitor, 'certain');
        this.#recordWrite();
        return;
      }
      if (response === undefined || response.status === 503) {
        if (response) this.#refused += 1;
        if (!isOrder) this.#count(visitor, 'unknown');
        await sleep(RETRY_DELAY);
        continue;
      }
      this.#wrong.push(`${isOrder ? 'order' : 'cart addition'}: status ${response.status}`);
      return;
    }
  }

  #count(visitor: Visitor, outcome: 'certain' | 'unknown'): void {
    const items = this.#items.get(visitor.email) ?? { certain: 0, unknown: 0 };
    items[outcome] += 1;
    this.#items.set(visitor.email, items);
  }

  #recordWrite(): void {
    const now = performance.now();
    this.#acknowledged += 1;
    this.#longestGap = Math.max(this.#longestGap, now - this.#lastWrite);
    this.#lastWrite = now;
  }

  async #read(reader: Visitor): Promise<void> {
    while (!this.#stopping) {
      const response = await reader.send('GET', '/api/orders');
      this.#reads += 1;
      if (response?.status !== 200) this.#readsFailed += 1;
      await sleep(READ_INTERVAL);
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
    const response = await visitor.send('POST', '/api/signup', { email, password: 'correct horse battery' });
    if (response?.status !== 201) throw new Error(`sign-up failed: ${response?.status ?? 'no response'}`);
    return visitor;
  }

  /** Returns undefined if the request fails or times out. */
  async send(method: 'GET' | 'POST', path: string, body?: unknown, headers: Record<string, string> = {}) {
    try {
      const response = await fetch(this.url + path, {
        method,
        headers: {
          cookie: this.cookie,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(TIMEOUT),
      });
      const set = response.headers.getSetCookie().find((line) => line.startsWith('sid='));
      if (set) this.cookie = set.split(';')[0] as string;
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    } catch {
      return undefined;
    }
  }
}
