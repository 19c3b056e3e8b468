/** Availability Zones, assigned to servers and data stores in turn. */
export const ZONES = ['a', 'b', 'c'] as const;

export type ServerState = 'starting' | 'in-service' | 'out-of-service' | 'draining' | 'terminated';

/** A server from the view of the balancer and the operating system. Counters start at its launch. */
export interface ServerSnapshot {
  readonly name: string;
  readonly zone: string;
  readonly version: string;
  /** `out-of-service`: failed its health checks or died, and is not yet replaced. */
  readonly state: ServerState;
  readonly pid: number;
  /** TCP port on loopback; 0 while it starts. */
  readonly port: number;
  /** Whether a balancer counts its requests; otherwise the next three figures are 0. */
  readonly counted: boolean;
  /** Requests from the balancer; with layer 4, connections. */
  readonly requests: number;
  /** Responses with 5xx, and requests without a response. */
  readonly failures: number;
  readonly inFlight: number;
  /** CPU time in seconds. */
  readonly cpuSeconds: number;
}

/** State of a topology. Counters start with the topology and are monotonic. */
export interface Snapshot {
  /** Milliseconds since the start of the topology. */
  readonly at: number;
  /** Desired capacity of the group. */
  readonly desired: number;
  readonly servers: readonly ServerSnapshot[];
  /** From phase 4. Workers have no balancer. */
  readonly workers?: readonly ServerSnapshot[];
  /** Executed statements of the shop per database; `writes` are those of the primary that write or lock. */
  readonly queries: { readonly primary: number; readonly writes: number; readonly replicas: readonly number[] };
  /** Sessions on the primary, their limit, and from phase 4 client connections to the pooler. */
  readonly connections: { readonly primary: number; readonly limit: number; readonly pooler?: number };
  /** Cache lookups and hits of the edge; from phase 4. */
  readonly edge?: { readonly lookups: number; readonly hits: number };
  /** Keyspace hits and misses of Redis, sessions included; from phase 3. */
  readonly redis?: { readonly hits: number; readonly misses: number };
  /** Data stores that are down: `primary`, `replica 1` and so on, `redis`. Absent when all are up. */
  readonly down?: readonly string[];
  /** Jobs in the queue, waiting or in flight; from phase 4. */
  readonly jobs?: number;
}
