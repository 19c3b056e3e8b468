import type { Template } from '../../cloudformation/template';
import type { Bill } from '../cost/bill';
import type { DatabasePlan } from './database';

/** Templates of the phases by stack id, with construct paths. */
export type PhaseTemplates = ReadonlyMap<
  string,
  { readonly template: Template; readonly paths: ReadonlyMap<string, string> }
>;

/** A sufficient phase, with its sizes and cost. */
export interface PhasePlan {
  readonly phase: string;
  readonly holds: true;
  /** Peak requests/s that the servers carry, without regard to the database. */
  readonly serversHoldRps: number;
  /** Servers at the peak; 1 in phases 1 and 2. */
  readonly servers: number;
  /** Mean number of servers over a month, for the bill of an elastic fleet. */
  readonly averageServers: number;
  readonly serverType: string;
  /** Workers at the peak; 0 where the servers run the jobs. */
  readonly workers: number;
  /** Mean size of each Auto Scaling group, for the bill. */
  readonly instances: Readonly<Record<string, number>>;
  /** Undefined in phase 1, where the database runs on the instance. */
  readonly database: DatabasePlan | undefined;
  /** CDK context to deploy it, as `name=value`. */
  readonly context: readonly string[];
  readonly reasons: readonly Reason[];
  readonly bill: Bill;
}

/** An insufficient phase. */
export interface PhaseRefusal {
  readonly phase: string;
  readonly holds: false;
  readonly why: string;
}

/** A quantity and its derivation. */
export interface Reason {
  readonly what: string;
  readonly how: string;
}

export interface Plan {
  /** Cheapest sufficient phase; undefined when there is none. */
  readonly chosen: PhasePlan | undefined;
  readonly phases: readonly (PhasePlan | PhaseRefusal)[];
}

export function refuse(phase: string, why: string): PhaseRefusal {
  return { phase, holds: false, why };
}
