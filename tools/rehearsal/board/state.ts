import type { ServerState } from '../topology/snapshot';

/** One server on the board. */
export interface BoardServer {
  readonly name: string;
  readonly zone: string;
  readonly state: ServerState;
  /** Completed and failed requests per second. Absent if neither a balancer nor visitors count them. */
  readonly rps?: number;
  readonly failed?: number;
  /** Latency in ms that simulated visitors measured. Absent if responses cannot be attributed to a server. */
  readonly latency?: { readonly p50: number; readonly p99: number };
  /** vCPU in use. */
  readonly cpu: number;
}

/** A data store. */
export interface BoardStore {
  /** `primary`, `replica 1` etc., `redis` or `queue`. */
  readonly name: string;
  readonly up: boolean;
  /** Current figures as text, such as `120 statements/s`. */
  readonly figures: readonly string[];
}

/** Figures that simulated visitors measured. */
export interface BoardVisitors {
  /** Completed requests per second. */
  readonly rps: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Requests per second that were rejected, failed or got a wrong response. */
  readonly failed: number;
  /** Cart items, orders and logins that the shop confirmed so far, and those of them that were lost. */
  readonly acknowledged: number;
  readonly missed: number;
}

/** State of the topology at one moment. */
export interface BoardState {
  /** Seconds since the traffic or the board started. */
  readonly at: number;
  readonly phase: number;
  /** The phase that is being deployed. */
  readonly becoming?: number;
  /** Desired capacity. */
  readonly desired: number;
  /** Absent while no traffic runs. */
  readonly visitors?: BoardVisitors;
  /** Hit ratio of the edge cache as text. Absent in phases without an edge cache. */
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

/** A button on one part of the drawing. */
export interface Button {
  /** Letters, digits and dashes. */
  readonly id: string;
  readonly label: string;
  /** `traffic`, `fleet`, `run`, or the name of a server, of a zone (`zone a`) or of a store. */
  readonly of: string;
  /** Reason why the action is unavailable. Absent if it is available. */
  readonly unavailable?: string | undefined;
}

/** A button with its action. */
export interface Offer extends Button {
  /** @throws UsageError if the action is not possible now */
  run(): Promise<unknown>;
}

/** A message to the page: the state once per second, an event, or the end of the run. */
export type BoardMessage =
  | { readonly kind: 'state'; readonly state: BoardState }
  | { readonly kind: 'event'; readonly event: BoardEvent }
  | { readonly kind: 'ended'; readonly what: string };

/** The data and actions of a board. */
export interface BoardSource {
  readonly title: string;
  /** URL of the shop. */
  readonly shop: string;
  /** Replays kept messages, then forwards new ones until the returned function is called. */
  watch(onMessage: (message: BoardMessage) => void): () => void;
  /** All actions, including those that are unavailable now. */
  offers(): readonly Offer[];
  /** Stops everything that this source started. Safe to call twice. */
  stop(): Promise<void>;
}
