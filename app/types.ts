/** Types shared by routes, repositories and pages. Prices are integer cents. */

export interface Product {
  readonly id: number;
  readonly name: string;
  readonly description: string;
  readonly category: string;
  readonly priceCents: number;
  readonly stock: number;
  readonly imageUrl: string;
}

/** One page of the catalog; `page` starts at 1, `total` is the number of products on all pages. */
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
  /** Number of the receipt, which a background job issues; absent while the order is `placed`. */
  readonly receiptNumber?: string;
}

/** Which part of the system served the page; shown in the footer. */
export interface Served {
  readonly server: string;
  readonly az: string;
  readonly phase: number;
  readonly sessionStore: string;
  readonly pid: number;
  readonly version: string;
  /** Whether the catalog on this page came from the cache; absent on pages without the catalog. */
  readonly cache?: 'hit' | 'miss';
}

/** Data that every page needs besides its content. */
export interface PageContext {
  readonly served: Served;
  /** Email address of the visitor; absent if not logged in. */
  readonly userEmail?: string;
  /** Number of items in the visitor's cart; absent if the page was rendered without a session. */
  readonly cartCount?: number;
  /** Returns the URL, with a content hash, of a file below `public/` (`shop.css`, `products/kettle.svg`). */
  readonly asset: (file: string) => string;
  /** Returns the path of a product's picture below `public/`; lines of carts and orders do not contain it. */
  readonly imageOf: (productId: number) => string | undefined;
}
