import type { EventEmitter } from 'node:events';
import type { Fault } from './fault';

export type RehearsedPhase = 1 | 2 | 3 | 4;

/** The zones that servers and data are spread over, in turn. */
export const ZONES = ['a', 'b', 'c'] as const;

export interface TopologyPlan {
  readonly phase: RehearsedPhase;

  /** Folder for data and logs. Made when missing; {@link Topology.stop} leaves it, so that logs can be read. */
  readonly dir: string;

  /**
   * Servers that run the app; phases 1 and 2 have one.
   *
   * @default 1 in phases 1 and 2, 5 in phase 3, 2 in phase 4
   */
  readonly servers?: number;

  /**
   * vCPUs of each server, such as 0.5; its processes together get no more. In phase 1 the database shares them.
   *
   * @default - no limit
   */
  readonly vcpu?: number;

  /** @default 'postgres' in phases 1 and 2, 'redis' from phase 3 */
  readonly sessions?: 'postgres' | 'redis' | 'cookie' | 'memory';

  /**
   * How the balancer chooses a server: in turn, the one with the fewest requests in flight, by the client's address, or for
   * each visitor the same by a cookie.
   *
   * @default 'roundrobin'
   */
  readonly balance?: 'roundrobin' | 'leastconn' | 'source' | 'sticky';

  /**
   * Whether the balancer chooses for each request (7, as an ALB) or for each connection (4, as an NLB).
   *
   * @default 7
   */
  readonly layer?: 4 | 7;

  /**
   * Read replicas of the database, from phase 3.
   *
   * @default 2
   */
  readonly replicas?: number;

  /**
   * Scaling policies that start and stop servers: those of a synthesized template. Only phase 4.
   *
   * @default - the number of servers stays
   */
  readonly scaling?: {
    /** The synthesized template of phase 4. */
    readonly template: object;
    /** Cloud seconds that pass in a second here, for the controller's periods and for booting: 20 makes 5 minutes 15 s. */
    readonly timeScale: number;
  };

  /** Told one line for each step of the start. */
  readonly say?: (line: string) => void;
}

export type ServerState = 'starting' | 'in-service' | 'out-of-service' | 'draining' | 'gone';

/** One server as the balancer and the operating system see it; counters are since its start. */
export interface ServerSnapshot {
  readonly name: string;
  readonly zone: string;
  readonly version: string;
  /** `out-of-service`: it runs or should, but failed its health checks. */
  readonly state: ServerState;
  readonly pid: number;
  /** Requests that the balancer gave it; with layer 4, connections. */
  readonly requests: number;
  /** Answers of 5xx among them, and requests that it did not answer. */
  readonly failures: number;
  readonly inFlight: number;
  /** Mean of its last answers in ms, as the balancer saw them. */
  readonly latencyMs: number;
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
  /** Transactions of the shop that each database has ended, in its own count. */
  readonly queries: { readonly primary: number; readonly replicas: readonly number[] };
  /** Requests that the edge cache looked up, and those that it answered itself; from phase 4. */
  readonly edge?: { readonly lookups: number; readonly hits: number };
  /** Catalogue look-ups in Redis by its own count, sessions included; from phase 3. */
  readonly redis?: { readonly hits: number; readonly misses: number };
  /** Background jobs in the queue, waiting or being done; from phase 4. */
  readonly jobs?: number;
}

/** Something that happened to the topology; for the chart and the log. */
export interface TopologyEvent {
  /** Milliseconds since the start of the topology. */
  readonly at: number;
  readonly what: string;
}

/** A phase that runs on this machine. */
export interface Topology {
  readonly phase: RehearsedPhase;
  /** Where visitors enter: the server, the balancer, or the edge. */
  readonly url: string;
  /** Connection string of the primary, past every proxy and slow network; for audits. */
  readonly databaseUrl: string;
  /** What holds of this run and is not as in the cloud, such as CPU quotas that this user may not set; a line each. */
  readonly notes: readonly string[];
  /** Emits `event` with a {@link TopologyEvent}. */
  readonly events: EventEmitter<{ event: [TopologyEvent] }>;
  /** Begins a fault, and resolves to what was done in words once it has begun; how it goes on is told by `events`. */
  inject(fault: Fault): Promise<string>;
  /** Sets how many servers the group wants. Resolves when as many are in service and the others have left. */
  scale(servers: number): Promise<void>;
  snapshot(): Promise<Snapshot>;
  /** Ends every process. Safe to call twice. */
  stop(): Promise<void>;
}
