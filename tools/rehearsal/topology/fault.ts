/** Dependencies that servers reach over the network. */
export const DEPENDENCIES = ['database', 'replicas', 'redis'] as const;
export type Dependency = (typeof DEPENDENCIES)[number];

/**
 * A fault or change that can be injected into a running topology. Times are in seconds of wall-clock time.
 *
 * | kind | effect | recovery |
 * |---|---|---|
 * | `kill-servers` | SIGKILL to `count` servers; in phase 1 to the instance and its database | the group replaces them |
 * | `kill-workers` | SIGKILL to `count` workers; the queue redelivers their jobs | the group replaces them |
 * | `stop-servers` | `count` servers are deregistered, drain and exit, as on TerminateInstances | the group replaces them |
 * | `kill-zone` | SIGKILL to all servers of a zone, and a crash of each data store in it | as for each part |
 * | `kill-database` | the primary crashes and restarts on the same volume after `seconds`, as in a Multi-AZ failover | automatic |
 * | `kill-replica` | one replica crashes and restarts after `seconds` | automatic |
 * | `lag` | the replicas pause WAL replay for `seconds` | automatic |
 * | `kill-redis` | SIGKILL to the primary; after `seconds` the replica is promoted and a new replica starts | automatic |
 * | `demote-redis` | a failover that keeps connections open; for `seconds` they reach a replica, which refuses writes | automatic |
 * | `spot-notice` | spot interruption notice to `count` servers; SIGKILL after two minutes | the group replaces them |
 * | `slow-network` | `delayMs` of added latency to a dependency, each way, for `seconds` | automatic |
 * | `deploy` | a rolling deployment of a new version; each new server is in service before an old one drains | automatic |
 * | `next-phase` | the phase becomes the next one, with its data, sessions and traffic | permanent |
 * | `resize` | the instance restarts with `vcpu` vCPUs (phases 1 and 2) | permanent |
 */
export type Fault =
  | {
      readonly kind: 'kill-servers' | 'stop-servers' | 'spot-notice';
      readonly count: number;
      /**
       * Name of a server that must be among them.
       *
       * @default - the servers that have been in service longest
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
