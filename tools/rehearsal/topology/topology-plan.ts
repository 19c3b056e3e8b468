import type { Template } from '../../cloudformation/template';

export type RehearsedPhase = 1 | 2 | 3 | 4;

export const SESSION_STORES = ['postgres', 'redis', 'cookie', 'memory'] as const;

/** Balancing algorithms: round robin, fewest requests in flight, client address, and a sticky cookie. */
export const BALANCES = ['roundrobin', 'leastconn', 'source', 'sticky'] as const;

export interface TopologyPlan {
  readonly phase: RehearsedPhase;

  /**
   * Folder for data and logs. Created when missing; {@link Topology.stop} leaves it for the logs. Its path must be short,
   * because it holds Unix sockets.
   */
  readonly dir: string;

  /**
   * Servers that run the app; phases 1 and 2 have one.
   *
   * @default 1 in phases 1 and 2, 5 in phase 3, 2 in phase 4
   */
  readonly servers?: number;

  /**
   * vCPUs per server, such as 0.5, for all its processes together. In phase 1 the database shares them.
   *
   * @default - no limit
   */
  readonly vcpu?: number;

  /** @default 'postgres' in phases 1 and 2, 'redis' from phase 3 */
  readonly sessions?: (typeof SESSION_STORES)[number];

  /** @default 'roundrobin' */
  readonly balance?: (typeof BALANCES)[number];

  /**
   * OSI layer of the balancer: 7 balances requests as an ALB does, 4 balances connections as an NLB does.
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
   * Whether servers shed load when saturated. Disable it to show its effect.
   *
   * @default true
   */
  readonly shedding?: boolean;

  /**
   * Maximum requests in flight per server. The balancer queues as many more and refuses the rest.
   *
   * @default - no limit, as with an Application Load Balancer
   */
  readonly maxInFlight?: number;

  /**
   * Whether servers cache catalogue responses. Disable it to show its effect. The edge of phase 4 caches them in any case.
   *
   * @default true
   */
  readonly cache?: boolean;

  /**
   * Scaling policies of a synthesized template. Phase 4 only.
   *
   * @default - a fixed number of servers
   */
  readonly scaling?: {
    /** The synthesized template of phase 4. */
    readonly template: Template;
    /** Simulated seconds per second of wall-clock time, for the policies' periods and for boot: 20 turns 5 minutes into 15 s. */
    readonly timeScale: number;
    /**
     * Policies are evaluated from then on.
     *
     * @default - immediately
     */
    readonly begin?: Promise<void> | undefined;
  };

  /**
   * Whether it can move to the next phase. Visitors then connect to a fixed address that forwards to the serving phase.
   *
   * @default false
   */
  readonly evolves?: boolean;

  /**
   * TCP port on loopback where visitors connect.
   *
   * @default - a free one
   */
  readonly port?: number;

  /**
   * Data of earlier runs that also outlives this one.
   *
   * @default - starts with an empty database and a new secret
   */
  readonly persisted?: {
    /** Folder of the primary, from phase 2. */
    readonly database: string;
    readonly sessionSecret: string;
  };

  /** Called with one line for each step of the start. */
  readonly onProgress?: (line: string) => void;
}
