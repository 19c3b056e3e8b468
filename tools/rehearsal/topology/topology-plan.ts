import type { Template } from '../../cloudformation/template';

export type RehearsedPhase = 1 | 2 | 3 | 4;

export interface TopologyPlan {
  readonly phase: RehearsedPhase;

  /**
   * Folder for data and logs. Made when missing; {@link Topology.stop} leaves it, so that logs can be read. Its path must be
   * short, since it holds Unix sockets.
   */
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
   * Whether servers refuse at once what is more than they can do; without it, to show what that is for.
   *
   * @default true
   */
  readonly shedding?: boolean;

  /**
   * Requests that the balancer lets each server work on at once; as many more wait, and the rest is refused.
   *
   * @default - no bound, as with an Application Load Balancer
   */
  readonly maxInFlight?: number;

  /**
   * Whether servers keep answers of the catalogue; without it, to show what that is for. The edge of phase 4 keeps them anyway.
   *
   * @default true
   */
  readonly cache?: boolean;

  /**
   * Scaling policies that start and stop servers: those of a synthesized template. Only phase 4.
   *
   * @default - the number of servers stays
   */
  readonly scaling?: {
    /** The synthesized template of phase 4. */
    readonly template: Template;
    /** Cloud seconds that pass in a second here, for the controller's periods and for booting: 20 makes 5 minutes 15 s. */
    readonly timeScale: number;
  };

  /**
   * Whether it can go on to the next phase; visitors then enter by an address that leads to the phase that serves.
   *
   * @default false
   */
  readonly evolves?: boolean;

  /**
   * TCP port on loopback where visitors enter.
   *
   * @default - a free one
   */
  readonly port?: number;

  /**
   * What is there from an earlier run, and outlives this one.
   *
   * @default - everything is made anew
   */
  readonly persisted?: {
    /** Folder of the primary that has a machine of its own. */
    readonly database: string;
    readonly sessionSecret: string;
  };

  /** Told one line for each step of the start. */
  readonly onProgress?: (line: string) => void;
}
