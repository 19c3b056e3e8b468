import type { Load } from './profiles';

/** Input of the load generator. */
export interface TrafficPlan {
  /** Base URL: `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly load: Load;
  /** Connection string of the primary, for accounts and stock before the traffic and for the audit after it. */
  readonly databaseUrl: string;
  /**
   * Retries per failed request, 1 s apart, in addition to the load.
   *
   * @default 0
   */
  readonly reloads?: number | undefined;
  /** Source addresses of visitors on loopback. Balancing by source address needs many. */
  readonly addresses: readonly string[];
  /** Seed of the random numbers; makes visitors and arrival times reproducible. */
  readonly seed: number;
}

export const KINDS = ['page', 'catalogue', 'static', 'cart', 'account', 'order'] as const;
/** Purpose of a request. */
export type Kind = (typeof KINDS)[number];

/**
 * Outcome of a request: succeeded; refused by the shop (503 with `Retry-After`); failed (no response, or another 5xx); or a
 * wrong response, such as 404 for a product that exists.
 */
export const OUTCOMES = ['ok', 'refused', 'failed', 'wrong'] as const;
export type Outcome = (typeof OUTCOMES)[number];

export type Counts = Readonly<Record<Outcome, number>>;

/** Latency in milliseconds up to which a response counts as goodput. */
export const IN_TIME = 1_000;

/** Origin of a catalogue response: the edge, a server's cache, or the database. */
export const SOURCES = ['edge', 'cache', 'database'] as const;
export type Source = (typeof SOURCES)[number];

/** Milliseconds from the time a request was due, not from when it was sent, to the end of its response. */
export interface Latency {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** Window of a server's latency in seconds: 100 responses at 20 requests/s, enough for a 99th percentile. */
export const RECENT_SECONDS = 5;

/** One second of traffic. */
export interface Second {
  /** Its end, in seconds from the start of the traffic. */
  readonly at: number;
  /** Requests due, and retries among them. */
  readonly due: number;
  readonly reloads: number;
  /** Completed requests by outcome. */
  readonly counts: Counts;
  /** Goodput: successful responses within {@link IN_TIME}. */
  readonly inTime: number;
  readonly latency: Latency;
  /** Catalogue responses by origin. */
  readonly sources: Readonly<Record<Source, number>>;
  /** Latency of the last {@link RECENT_SECONDS} seconds by port of the server. Empty without a balancer. */
  readonly servers: Readonly<Record<string, Latency>>;
  /** Maximum number of requests in flight. */
  readonly inFlight: number;
  /** Cart items, orders and logins that the shop confirmed so far. */
  readonly acknowledged: number;
  /** Those of them that visitors found missing. */
  readonly missed: number;
  /** Send delay in milliseconds (99th percentile). If high, the generator is the bottleneck. */
  readonly lateMs: number;
  /** Utilization of the generator's event loop, 0 to 1. */
  readonly busy: number;
  /** Idle share of this machine's processor time. */
  readonly idle: number;
}

/** Totals of the traffic. */
export interface TrafficSummary {
  readonly seconds: number;
  readonly due: number;
  readonly reloads: number;
  readonly counts: Counts;
  /** Number of failures by reason, such as `503 unavailable` or `ECONNREFUSED`. */
  readonly failures: Readonly<Record<string, number>>;
  readonly latency: Latency;
  readonly byKind: Readonly<Record<Kind, KindSummary>>;
  readonly sources: Readonly<Record<Source, number>>;
  /** Latency of failed requests. */
  readonly failureLatency: Latency;
  /** Requests dropped because too many were in flight. They count as failed. */
  readonly unsent: number;
  /** New visitors, return visits, and visitors whom a sticky balancer moved to another server. */
  readonly visitors: { readonly came: number; readonly cameBack: number; readonly moved: number };
  /** Seconds in which the generator could not keep up. */
  readonly lateSeconds: number;
}

export interface KindSummary {
  readonly counts: Counts;
  readonly latency: Latency;
}

/** Number of confirmed items of one kind, and the lost ones among them. */
export interface PromiseCount {
  readonly acknowledged: number;
  readonly lost: number;
}

/** Confirmed data compared with the shop and its database at the end. */
export interface Audit {
  /** Items in carts. */
  readonly cartItems: PromiseCount;
  readonly orders: PromiseCount;
  /** Logins that must still be valid. */
  readonly logIns: PromiseCount;
  /** Orders and cart items without a request, such as a second order with the same idempotency key. */
  readonly unasked: number;
  /** Products whose stock and sales do not add up, or whose stock is below 0. */
  readonly stockErrors: number;
  /** Reads that lacked the visitor's own writes and were correct on retry. */
  readonly staleReads: number;
  /** Visitors that could not be verified because the shop did not respond. Their data counts as lost. */
  readonly unanswered: number;
  /** Orders without a receipt. */
  readonly receiptsWaiting: number;
  /** Descriptions of the first losses and errors. */
  readonly examples: readonly string[];
}

/** Input of a calibration. */
export type CalibrationPlan = Pick<TrafficPlan, 'url' | 'databaseUrl' | 'addresses'>;

export type ToGenerator =
  | { readonly type: 'calibrate'; readonly plan: CalibrationPlan }
  | { readonly type: 'start'; readonly plan: TrafficPlan }
  /** Multiplies the rate of the load's profile. */
  | { readonly type: 'scale'; readonly factor: number }
  /** Continues the traffic after the load's duration, at its final rate, until `end`. */
  | { readonly type: 'hold' }
  /** Stops new requests; those in flight complete. */
  | { readonly type: 'end' }
  | { readonly type: 'audit'; readonly databaseUrl: string; readonly receiptsWithin: number };

export type FromGenerator =
  /** Successful requests per second. */
  | { readonly type: 'calibrated'; readonly rps: number }
  /** Traffic has started; `at` is a Unix timestamp in ms. */
  | { readonly type: 'started'; readonly at: number }
  | { readonly type: 'second'; readonly second: Second }
  | { readonly type: 'ended'; readonly summary: TrafficSummary }
  | { readonly type: 'audited'; readonly audit: Audit }
  | { readonly type: 'failed'; readonly message: string };
