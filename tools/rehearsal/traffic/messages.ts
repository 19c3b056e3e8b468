import type { Load } from './profiles';

/** What traffic is made of. */
export interface TrafficPlan {
  /** Where visitors go: `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly load: Load;
  /** Connection string of the primary, for customers' accounts and full shelves before, and for the audit after. */
  readonly databaseUrl: string;
  /**
   * How often a visitor loads something again that did not come, a second later; beside what is due by the load.
   *
   * @default 0
   */
  readonly reloads?: number | undefined;
  /** Addresses on loopback that visitors come from; a balancer that goes by the client's address needs many. */
  readonly addresses: readonly string[];
  /** The same seed makes the same visitors come in the same moments. */
  readonly seed: number;
}

export const KINDS = ['page', 'catalogue', 'static', 'cart', 'account', 'order'] as const;
/** What a request is for. */
export type Kind = (typeof KINDS)[number];

/**
 * How a request ended for its visitor: answered; refused by the shop itself, for now (503 with `Retry-After`); failed (no
 * answer, or 5xx); or answered with what cannot be right, such as 404 for a product that is there.
 */
export const OUTCOMES = ['ok', 'refused', 'failed', 'wrong'] as const;
export type Outcome = (typeof OUTCOMES)[number];

export type Counts = Readonly<Record<Outcome, number>>;

/** Milliseconds after which an answer is none any more to somebody who waits for it. */
export const IN_TIME = 1_000;

/** What answered a question about the catalogue: the edge, a cache behind it, or the database. */
export const SOURCES = ['edge', 'cache', 'database'] as const;
export type Source = (typeof SOURCES)[number];

/** Milliseconds from the moment in which a request was due, and not from when it could be sent, to the end of its answer. */
export interface Latency {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** Seconds that a server's latency is of: at 20 requests/s a hundred answers, and fewer have no 99th percentile. */
export const RECENT = 5;

/** One second of traffic. */
export interface Second {
  /** Its end, in seconds from the start of the traffic. */
  readonly at: number;
  /** Requests that became due, and those among them that loaded something again. */
  readonly due: number;
  readonly reloads: number;
  /** Requests that ended, by how. */
  readonly counts: Counts;
  /** Of those that were answered, the ones within {@link IN_TIME}: the goodput. */
  readonly inTime: number;
  readonly latency: Latency;
  /** Answers about the catalogue, by where they came from. */
  readonly sources: Readonly<Record<Source, number>>;
  /** Of the last {@link RECENT} seconds, by the port of the server that answered; only where a balancer tells it. */
  readonly servers: Readonly<Record<string, Latency>>;
  /** Requests that waited for their answer at once, at most. */
  readonly inFlight: number;
  /** Cart items, orders and log-ins that were acknowledged, so far. */
  readonly acknowledged: number;
  /** Of these, what its visitor did not find again. */
  readonly missed: number;
  /** Milliseconds by which requests were sent late (99th percentile): then the generator is the wall. */
  readonly lateMs: number;
  /** Share of the second for which the generator's event loop was busy. */
  readonly busy: number;
  /** Share of this machine's processor time that nothing used. */
  readonly idle: number;
}

/** The whole of the traffic. */
export interface TrafficSummary {
  readonly seconds: number;
  readonly due: number;
  readonly reloads: number;
  readonly counts: Counts;
  /** How many of each kind of failure there were, such as `503 unavailable` or `ECONNREFUSED`. */
  readonly failures: Readonly<Record<string, number>>;
  readonly latency: Latency;
  readonly byKind: Readonly<Record<Kind, KindSummary>>;
  readonly sources: Readonly<Record<Source, number>>;
  /** Of requests that did not succeed: how long their visitors waited for that. */
  readonly failureLatency: Latency;
  /** Requests that were not sent, as too many were waiting for an answer; they count as failed. */
  readonly unsent: number;
  /** `moved`: those whom a sticky balancer sent to another server than before. */
  readonly visitors: { readonly came: number; readonly cameBack: number; readonly moved: number };
  /** Time in which the generator could not keep up, in seconds. */
  readonly lateSeconds: number;
}

export interface KindSummary {
  readonly counts: Counts;
  readonly latency: Latency;
}

/** One thing that was promised to a customer: how often, and how often it was not kept. */
export interface Promised {
  readonly acknowledged: number;
  readonly lost: number;
}

/** What customers were told, against what the shop and its database know at the end. */
export interface Audit {
  /** Pieces in carts. */
  readonly cartItems: Promised;
  readonly orders: Promised;
  /** Log-ins that should still hold. */
  readonly logIns: Promised;
  /** Orders that nobody asked for, such as the second of one idempotency key. */
  readonly unasked: number;
  /** Products whose stock and sales do not add up, or whose stock is below 0. */
  readonly stockErrors: number;
  /** Reads that showed less than their visitor had written, and were right a moment later. */
  readonly staleReads: number;
  /** Visitors who could not be asked, as the shop did not answer; what they were promised counts as lost. */
  readonly unanswered: number;
  /** Orders whose receipt is not made yet. */
  readonly receiptsWaiting: number;
  /** The first of what was lost or wrong, in words. */
  readonly examples: readonly string[];
}

/** What a calibration needs; see `calibration.ts`. */
export type CalibrationPlan = Pick<TrafficPlan, 'url' | 'databaseUrl' | 'addresses'>;

export type ToGenerator =
  | { readonly type: 'calibrate'; readonly plan: CalibrationPlan }
  | { readonly type: 'start'; readonly plan: TrafficPlan }
  /** From now on this many times what the load's profile says. */
  | { readonly type: 'scale'; readonly factor: number }
  /** Traffic continues after the load's time, at the rate of its end, until `end`. */
  | { readonly type: 'hold' }
  /** No more requests; those in flight end. */
  | { readonly type: 'end' }
  | { readonly type: 'audit'; readonly databaseUrl: string; readonly receiptsWithin: number };

export type FromGenerator =
  /** Answered requests per second. */
  | { readonly type: 'calibrated'; readonly rps: number }
  /** Visitors come; `at` is the time of day in ms. */
  | { readonly type: 'started'; readonly at: number }
  | { readonly type: 'second'; readonly second: Second }
  | { readonly type: 'ended'; readonly summary: TrafficSummary }
  | { readonly type: 'audited'; readonly audit: Audit }
  | { readonly type: 'failed'; readonly message: string };
