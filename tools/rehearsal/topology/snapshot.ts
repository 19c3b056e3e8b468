/** The zones that servers and data are spread over, in turn. */
export const ZONES = ['a', 'b', 'c'] as const;

export type ServerState = 'starting' | 'in-service' | 'out-of-service' | 'draining' | 'terminated';

/** One server as the balancer and the operating system see it; counters are since its start. */
export interface ServerSnapshot {
  readonly name: string;
  readonly zone: string;
  readonly version: string;
  /** `out-of-service`: it runs or should, but failed its health checks. */
  readonly state: ServerState;
  readonly pid: number;
  /** Where it listens on loopback; 0 while it starts. */
  readonly port: number;
  /** Whether a balancer knows it, and counts for it; without one the three figures after this are 0. */
  readonly counted: boolean;
  /** Requests that the balancer gave it; with layer 4, connections. */
  readonly requests: number;
  /** Answers of 5xx among them, and requests that it did not answer. */
  readonly failures: number;
  readonly inFlight: number;
  /** CPU seconds used. */
  readonly cpuSeconds: number;
}

/** Counters are since the start of the topology, and never go back. */
export interface Snapshot {
  /** Milliseconds since the start of the topology. */
  readonly at: number;
  /** Servers that the group wants. */
  readonly desired: number;
  readonly servers: readonly ServerSnapshot[];
  /** From phase 4; the balancer knows nothing of them. */
  readonly workers?: readonly ServerSnapshot[];
  /** Statements of the shop that each database has executed; `writes` are those of the primary that write or lock. */
  readonly queries: { readonly primary: number; readonly writes: number; readonly replicas: readonly number[] };
  /** Sessions of the primary now and at most, and connections of servers and workers to the pooler, from phase 4. */
  readonly connections: { readonly primary: number; readonly limit: number; readonly pooler?: number };
  /** Requests that the edge cache looked up, and those that it answered itself; from phase 4. */
  readonly edge?: { readonly lookups: number; readonly hits: number };
  /** Catalogue look-ups in Redis by its own count, sessions included; from phase 3. */
  readonly redis?: { readonly hits: number; readonly misses: number };
  /** What keeps data and is away: `primary`, `replica 1` and so on, `redis`. Absent when all of it is there. */
  readonly down?: readonly string[];
  /** Background jobs in the queue, waiting or being done; from phase 4. */
  readonly jobs?: number;
}
