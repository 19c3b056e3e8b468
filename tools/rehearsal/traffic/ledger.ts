/** Pieces of a product: those that were acknowledged, and those of which nobody can tell, as their answer did not come. */
export interface Pieces {
  readonly kept: number;
  readonly maybe: number;
}

export type Lines = ReadonlyMap<number, Pieces>;

export interface Order {
  readonly key: string;
  readonly lines: Lines;
  /** Absent while it was not acknowledged: then there may be such an order, or not. */
  readonly id?: string;
}

/** A cart as the shop shows it: pieces by product. */
export type Shown = ReadonlyMap<number, number>;

/** What the shop promised to one visitor: a cart, orders, and that they are logged in. */
export class Ledger {
  /** Totals over the visitor's life; what is lost is counted when it is found, once. */
  readonly acknowledged = { cartItems: 0, logIns: 0 };
  readonly lost = { cartItems: 0, logIns: 0 };
  /** Pieces in the cart that were never put there. */
  surplus = 0;
  staleReads = 0;
  loggedIn = false;
  readonly orders: Order[] = [];
  readonly #cart = new Map<number, Pieces>();

  /** The order that was asked for and not answered; until it is settled, nothing else is done with the cart. */
  get pending(): Order | undefined {
    const last = this.orders.at(-1);
    return last?.id === undefined ? last : undefined;
  }

  get cart(): Lines {
    return this.#cart;
  }

  /** Pieces that must be in the cart. */
  get kept(): number {
    return [...this.#cart.values()].reduce((sum, { kept }) => sum + kept, 0);
  }

  get isEmpty(): boolean {
    return this.#cart.size === 0 && this.orders.length === 0 && !this.loggedIn;
  }

  /** @param certain whether the answer said so */
  added(productId: number, certain: boolean): void {
    const { kept, maybe } = this.#cart.get(productId) ?? { kept: 0, maybe: 0 };
    this.#cart.set(productId, certain ? { kept: kept + 1, maybe } : { kept, maybe: maybe + 1 });
    if (certain) this.acknowledged.cartItems += 1;
  }

  loggedInNow(): void {
    this.loggedIn = true;
    this.acknowledged.logIns += 1;
  }

  logInLost(): void {
    this.loggedIn = false;
    this.lost.logIns += 1;
  }

  /** The cart is about to become an order. */
  ordering(key: string): void {
    this.orders.push({ key, lines: new Map(this.#cart) });
  }

  /** The pending order is there. What may still be on its way to the cart may come after it. */
  ordered(id: string): void {
    const order = this.orders.pop() as Order;
    this.orders.push({ ...order, id });
    this.#cart.clear();
    for (const [productId, { maybe }] of order.lines) if (maybe > 0) this.#cart.set(productId, { kept: 0, maybe });
  }

  /** The pending order was refused, or is not there. */
  notOrdered(): void {
    this.orders.pop();
  }

  /** Acknowledged pieces that the cart does not show. */
  missingIn(shown: Shown): number {
    return [...this.#cart].reduce((sum, [id, { kept }]) => sum + Math.max(0, kept - (shown.get(id) ?? 0)), 0);
  }

  /** Takes the cart for what it is: what is missing is lost, and is not looked for again. */
  settleCart(shown: Shown): void {
    this.lost.cartItems += this.missingIn(shown);
    for (const [id, { kept, maybe }] of this.#cart) {
      this.#cart.set(id, { kept: Math.min(kept, shown.get(id) ?? 0), maybe });
    }
    for (const [id, pieces] of shown) {
      const { kept, maybe } = this.#cart.get(id) ?? { kept: 0, maybe: 0 };
      if (pieces <= kept + maybe) continue;
      this.surplus += pieces - kept - maybe;
      this.#cart.set(id, { kept: pieces, maybe });
    }
  }
}

/** Whether that many pieces are what was promised. */
export function within(pieces: number, { kept, maybe }: Pieces): boolean {
  return pieces >= kept && pieces <= kept + maybe;
}
