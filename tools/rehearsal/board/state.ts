import type { ServerState } from '../topology/snapshot';

/** One server as the board draws it. */
export interface BoardServer {
  readonly name: string;
  readonly zone: string;
  readonly state: ServerState;
  /** Requests a second, and those that failed among them; absent where nobody counts. */
  readonly rps?: number;
  readonly failed?: number;
  /** Of its newest answers to the visitors that are sent, in ms; absent where nobody can tell them from those of others. */
  readonly latency?: { readonly p50: number; readonly p99: number };
  /** Processors in use: 1 is the whole of one. */
  readonly cpu: number;
}

/** Something that keeps data. */
export interface BoardStore {
  /** `primary`, `replica 1` and so on, `redis` or `queue`. */
  readonly name: string;
  readonly up: boolean;
  /** What it does now, in words, such as `120 statements/s`. */
  readonly figures: readonly string[];
}

/** What visitors see. */
export interface BoardVisitors {
  /** Requests that ended, a second. */
  readonly rps: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Requests a second that were refused, failed or answered wrongly. */
  readonly failed: number;
  /** Cart items, orders and log-ins that were acknowledged so far, and those that their visitor did not find again. */
  readonly acknowledged: number;
  readonly missed: number;
}

/** The topology in one second. */
export interface BoardState {
  /** Seconds since visitors came, or since the board was opened first. */
  readonly at: number;
  readonly phase: number;
  /** The phase that is being made of it. */
  readonly becoming?: number;
  /** Servers that the group wants. */
  readonly desired: number;
  /** Absent while no traffic is sent. */
  readonly visitors?: BoardVisitors;
  /** What the edge cache does; absent where there is none. */
  readonly edge?: string;
  readonly balancer: boolean;
  readonly servers: readonly BoardServer[];
  readonly workers: readonly BoardServer[];
  readonly stores: readonly BoardStore[];
  readonly buttons: readonly Button[];
}

export interface BoardEvent {
  /** Seconds, as in {@link BoardState}. */
  readonly at: number;
  readonly what: string;
}

/** A button, and which part of the drawing it belongs to. */
export interface Button {
  /** Letters, digits and dashes. */
  readonly id: string;
  readonly label: string;
  /** `traffic`, `fleet`, `run`, or the name of a server, of a zone (`zone a`) or of a store. */
  readonly of: string;
  /** Why it cannot be pressed now; absent when it can. */
  readonly unavailable?: string | undefined;
}

/** What a button does. */
export interface Offer extends Button {
  /** @throws UsageError when it cannot be done now */
  run(): Promise<unknown>;
}

/** What a board is told: a state for each second, what happens, and at last that it is over. */
export type BoardMessage =
  | { readonly kind: 'state'; readonly state: BoardState }
  | { readonly kind: 'event'; readonly event: BoardEvent }
  | { readonly kind: 'over'; readonly what: string };

/** What a board shows, and what can be done to it. */
export interface BoardSource {
  readonly title: string;
  /** Where visitors enter. */
  readonly shop: string;
  /** Tells what it has kept and all that follows, until the returned function is called. */
  watch(tell: (told: BoardMessage) => void): () => void;
  /** What can be done, now or at another time. */
  offers(): readonly Offer[];
  /** Ends what it began itself. Safe to call twice. */
  stop(): Promise<void>;
}
