/** What routes, repositories and pages hand to one another. Prices are integer cents. */

export interface Product {
  readonly id: number;
  readonly name: string;
  readonly description: string;
  readonly category: string;
  readonly priceCents: number;
  readonly stock: number;
  readonly imageUrl: string;
}

/** One page of the catalogue; `page` starts at 1, `total` counts the products of all pages. */
export interface ProductList {
  readonly items: readonly Product[];
  readonly page: number;
  readonly total: number;
}

export interface CartItem {
  readonly productId: number;
  readonly name: string;
  readonly quantity: number;
  readonly priceCents: number;
}

export interface Cart {
  readonly items: readonly CartItem[];
  readonly totalCents: number;
}

export type OrderStatus = 'placed' | 'fulfilled';

export interface Order {
  readonly id: string;
  readonly status: OrderStatus;
  readonly totalCents: number;
  readonly createdAt: Date;
  readonly items: readonly CartItem[];
  /** Number of the receipt that the background job wrote; absent while the order is only `placed`. */
  readonly receiptNumber?: string;
}

/** Which part of the system answered; the footer of every page says it. */
export interface Served {
  readonly server: string;
  readonly az: string;
  readonly phase: number;
  readonly sessionStore: string;
  readonly pid: number;
  readonly version: string;
  /** Whether the catalogue on this page came from the cache; absent on pages that show none. */
  readonly cache?: 'hit' | 'miss';
}

/** What every page needs besides its own content. */
export interface PageContext {
  readonly served: Served;
  /** E-mail address of the visitor who is logged in. */
  readonly userEmail?: string;
  /** Pieces in the visitor's cart; absent when the page was made without looking at a session. */
  readonly cartCount?: number;
  /** Maps a file below `public/` (`shop.css`, `products/kettle.svg`) to its URL with a content hash. */
  readonly asset: (file: string) => string;
  /** Maps a product's id to its picture below `public/`; a line of a cart or an order does not carry it. */
  readonly imageOf: (productId: number) => string | undefined;
}
