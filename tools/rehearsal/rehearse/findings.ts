import type { ServerSnapshot, Snapshot } from '../topology/snapshot';
import type { RehearsedPhase } from '../topology/topology-plan';
import type { Audit, Second, TrafficSummary } from '../traffic/messages';
import type { Goal, Verdict } from './goal';
import type { Action, Scenario } from './scenario';

/** One second of a rehearsal: what visitors saw, and what the topology did. */
export interface RehearsalSecond extends Second {
  /** Requests that ended, a second. */
  readonly rps: number;
  readonly inService: number;
  /** Servers that the group wants. */
  readonly desired: number;
  /** Statements a second that the primary and the replicas executed; `writes` are those of the primary that write or lock. */
  readonly queries: { readonly primary: number; readonly writes: number; readonly replicas: number };
  readonly connections: Snapshot['connections'];
  /** Of all look-ups since the second before, those that the edge answered itself; from phase 4. */
  readonly edgeHits?: number;
  /** Background jobs that wait, and the workers that do them; from phase 4. */
  readonly jobs?: number;
  readonly workers?: number;
}

/** Something to mark in the charts. */
export interface RehearsalEvent {
  /** Seconds from the start of the traffic. */
  readonly at: number;
  readonly what: string;
}

/** A step of the scenario, or one by hand, as it happened. */
export interface Fired {
  readonly at: number;
  readonly action: Action;
  /** The topology just before it. */
  readonly before: Snapshot;
}

/** A phase that the system became on the way. */
export interface ServedPhase {
  readonly phase: RehearsedPhase;
  /** Requests that its own servers answered. */
  readonly answered: number;
}

/** What was seen of a rehearsal. */
export interface Findings {
  readonly scenario: Scenario;
  readonly seconds: readonly RehearsalSecond[];
  readonly events: readonly RehearsalEvent[];
  readonly fired: readonly Fired[];
  readonly traffic: TrafficSummary;
  readonly audit: Audit;
  /** Requests that the edge looked up while visitors came, and those among them that it answered itself; from phase 4. */
  readonly edge?: { readonly lookups: number; readonly hits: number };
  /** Every server that there was, as it is at the end. */
  readonly servers: readonly ServerSnapshot[];
  /** In the order in which they served; absent without an evolution. */
  readonly served?: readonly ServedPhase[];
  /** Requests per second that this machine carries in this topology; absent without a calibration. */
  readonly carried?: number;
  /** This machine could not set the CPU quotas of the scenario. */
  readonly unconfined?: true;
  /** What holds of this run and is not as in the cloud. */
  readonly notes: readonly string[];
}

export interface Report extends Findings {
  /** The command that makes it again. */
  readonly command: string;
  /** What it ran on, such as `2 cores, Node 24.1.0, linux`. */
  readonly machine: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly goals: readonly Goal[];
  readonly verdict: Verdict;
  /** Why, in one line that stands after the verdict and a colon. */
  readonly reason: string;
}
