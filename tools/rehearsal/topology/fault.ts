/** Parts that servers reach over the network, and that a slow network can lie before. */
export const DEPENDENCIES = ['database', 'replicas', 'redis'] as const;
export type Dependency = (typeof DEPENDENCIES)[number];

/**
 * What can be made to go wrong while a topology runs. Times are in seconds of this machine's clock.
 *
 * | kind | what it does | ends |
 * |---|---|---|
 * | `kill-servers` | SIGKILL to so many servers; in phase 1 the box, its database with it | the group replaces them |
 * | `kill-workers` | SIGKILL to so many workers; the queue hands out again what they had in hand | the group replaces them |
 * | `stop-servers` | they leave the balancer, drain and exit, as when somebody terminates an instance | the group replaces them |
 * | `kill-zone` | SIGKILL to all servers of a zone, and a crash of whatever else lies in it | as each of them alone |
 * | `kill-database` | the primary crashes; the same volume comes up again after `seconds`, as after a failover of Multi-AZ | by itself |
 * | `kill-replica` | one replica crashes, and comes back after `seconds` | by itself |
 * | `lag` | the replicas stop replaying for `seconds` | by itself |
 * | `kill-redis` | SIGKILL to the primary; after `seconds` its replica is promoted, and gets a replica of its own | by itself |
 * | `demote-redis` | a failover that keeps connections open: they lead to a server that refuses writes, for `seconds` | by itself |
 * | `spot-notice` | EC2's notice on so many servers; a server that still runs after two minutes is killed | the group replaces them |
 * | `slow-network` | `delayMs` more on every packet to a dependency, each way, for `seconds` | by itself |
 * | `deploy` | a new version, server after server; a new one is in service before an old one leaves | by itself |
 * | `next-phase` | the phase becomes the next one, data, sessions and visitors with it | stays |
 * | `resize` | the box stops and starts again with so many vCPUs (phases 1 and 2) | stays |
 */
export type Fault =
  | {
      readonly kind: 'kill-servers' | 'stop-servers' | 'spot-notice';
      readonly count: number;
      /**
       * The name of one that is among them.
       *
       * @default - those that were in service first
       */
      readonly server?: string;
    }
  | { readonly kind: 'kill-workers'; readonly count: number }
  | { readonly kind: 'kill-zone'; readonly zone: string }
  | {
      readonly kind: 'kill-database' | 'kill-replica' | 'lag' | 'kill-redis' | 'demote-redis';
      readonly seconds: number;
    }
  | { readonly kind: 'slow-network'; readonly to: Dependency; readonly delayMs: number; readonly seconds: number }
  | { readonly kind: 'deploy' }
  | { readonly kind: 'next-phase' }
  | { readonly kind: 'resize'; readonly vcpu: number };
