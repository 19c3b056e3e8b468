import type { ServerSnapshot, Snapshot } from '../topology/snapshot';
import type { RehearsedPhase } from '../topology/topology-plan';
import type { Audit, Second, TrafficSummary } from '../traffic/messages';
import type { Goal, Verdict } from './goal';
import type { Action, Scenario } from './scenario';

/** One second of a rehearsal: figures of the traffic and of the topology. */
export interface RehearsalSecond extends Second {
  /** Completed requests per second. */
  readonly rps: number;
  readonly inService: number;
  /** Desired capacity. */
  readonly desired: number;
  /** SQL statements per second. `writes` are those on the primary that write or lock. */
  readonly queries: { readonly primary: number; readonly writes: number; readonly replicas: number };
  readonly connections: Snapshot['connections'];
  /** Hit ratio of the edge cache in this second; from phase 4. */
  readonly edgeHits?: number;
  /** Waiting background jobs, and workers in service; from phase 4. */
  readonly jobs?: number;
  readonly workers?: number;
}

/** An event in the log and the charts. */
export interface RehearsalEvent {
  /** Seconds from the start of the traffic. */
  readonly at: number;
  readonly what: string;
}

/** An executed action, from the scenario or the board. */
export interface Fired {
  readonly at: number;
  readonly action: Action;
  /** State of the topology before the action. */
  readonly before: Snapshot;
}

/** A later phase of an evolution that served. */
export interface ServedPhase {
  readonly phase: RehearsedPhase;
  /** Successful requests by its own servers. */
  readonly answered: number;
}

/** Measurements of a rehearsal. */
export interface Findings {
  readonly scenario: Scenario;
  readonly seconds: readonly RehearsalSecond[];
  readonly events: readonly RehearsalEvent[];
  readonly fired: readonly Fired[];
  readonly traffic: TrafficSummary;
  readonly audit: Audit;
  /** Lookups and hits of the edge cache during the traffic; from phase 4. */
  readonly edge?: { readonly lookups: number; readonly hits: number };
  /** Final state of every server, including terminated ones. */
  readonly servers: readonly ServerSnapshot[];
  /** In order; absent without an evolution. */
  readonly served?: readonly ServedPhase[];
  /** Rate that this machine carries in this topology, in requests per second; absent without a calibration. */
  readonly carried?: number;
  /** This machine could not set the CPU quotas of the scenario. */
  readonly unconfined?: true;
  /** Differences from the cloud in this run. */
  readonly notes: readonly string[];
}

export interface Report extends Findings {
  /** Command that reproduces the run. */
  readonly command: string;
  /** Host, such as `2 cores, Node 24.1.0, linux`. */
  readonly machine: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly goals: readonly Goal[];
  readonly verdict: Verdict;
  /** Reason of the verdict in one line. */
  readonly reason: string;
}
