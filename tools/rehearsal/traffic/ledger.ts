/** Items of a product: confirmed by a response, and unconfirmed because the response did not arrive. */
export interface Quantity {
  readonly confirmed: number;
  readonly unconfirmed: number;
}

export type OrderLines = ReadonlyMap<number, Quantity>;

export interface Order {
  readonly key: string;
  readonly lines: OrderLines;
  /** Absent until the order is confirmed; it may or may not exist. */
  readonly id?: string;
}

/** A cart as the shop displays it: items by product id. */
export type DisplayedCart = ReadonlyMap<number, number>;

/** Data that the shop confirmed to one visitor: cart, orders and login. */
export class Ledger {
  /** Totals. Each loss counts once, when it is detected. */
  readonly acknowledged = { cartItems: 0, logIns: 0 };
  readonly lost = { cartItems: 0, logIns: 0 };
  /** Items in the cart that were never added. */
  surplus = 0;
  staleReads = 0;
  loggedIn = false;
  readonly orders: Order[] = [];
  readonly #cart = new Map<number, Quantity>();

  /** The order without a response. The cart is not used until it is resolved. */
  get pending(): Order | undefined {
    const last = this.orders.at(-1);
    return last?.id === undefined ? last : undefined;
  }

  get cart(): OrderLines {
    return this.#cart;
  }

  /** Number of items that must be in the cart. */
  get confirmedItems(): number {
    return [...this.#cart.values()].reduce((sum, { confirmed }) => sum + confirmed, 0);
  }

  get isEmpty(): boolean {
    return this.#cart.size === 0 && this.orders.length === 0 && !this.loggedIn;
  }

  /** @param certain whether the shop confirmed it */
  recordAdded(productId: number, certain: boolean): void {
    const { confirmed, unconfirmed } = this.#cart.get(productId) ?? { confirmed: 0, unconfirmed: 0 };
    this.#cart.set(
      productId,
      certain ? { confirmed: confirmed + 1, unconfirmed } : { confirmed, unconfirmed: unconfirmed + 1 },
    );
    if (certain) this.acknowledged.cartItems += 1;
  }

  recordLogin(): void {
    this.loggedIn = true;
    this.acknowledged.logIns += 1;
  }

  recordLostLogin(): void {
    this.loggedIn = false;
    this.lost.logIns += 1;
  }

  /** Turns the cart into the pending order. */
  startOrder(key: string): void {
    this.orders.push({ key, lines: new Map(this.#cart) });
  }

  /** Confirms the pending order. Unconfirmed items may still arrive in the cart. */
  confirmOrder(id: string): void {
    const order = this.orders.pop() as Order;
    this.orders.push({ ...order, id });
    this.#cart.clear();
    for (const [productId, { unconfirmed }] of order.lines)
      if (unconfirmed > 0) this.#cart.set(productId, { confirmed: 0, unconfirmed });
  }

  /** Discards the pending order, which the shop refused. */
  discardOrder(): void {
    this.orders.pop();
  }

  /** Number of confirmed items that the displayed cart lacks. */
  missingIn(shown: DisplayedCart): number {
    return [...this.#cart].reduce((sum, [id, { confirmed }]) => sum + Math.max(0, confirmed - (shown.get(id) ?? 0)), 0);
  }

  /** Accepts the displayed cart. Missing items count as lost, once. */
  reconcileCart(shown: DisplayedCart): void {
    this.lost.cartItems += this.missingIn(shown);
    for (const [id, { confirmed, unconfirmed }] of this.#cart) {
      this.#cart.set(id, { confirmed: Math.min(confirmed, shown.get(id) ?? 0), unconfirmed });
    }
    for (const [id, items] of shown) {
      const { confirmed, unconfirmed } = this.#cart.get(id) ?? { confirmed: 0, unconfirmed: 0 };
      if (items <= confirmed + unconfirmed) continue;
      this.surplus += items - confirmed - unconfirmed;
      this.#cart.set(id, { confirmed: items, unconfirmed });
    }
  }
}

/** Whether a number of items is consistent with a quantity. */
export function isWithin(items: number, { confirmed, unconfirmed }: Quantity): boolean {
  return items >= confirmed && items <= confirmed + unconfirmed;
}
