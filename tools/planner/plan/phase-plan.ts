import type { Template } from '../../cloudformation/template';
import type { Bill } from '../cost/bill';
import type { DatabasePlan } from './database';

/** Templates of the phases, by id, with the paths of their constructs. */
export type PhaseTemplates = ReadonlyMap<
  string,
  { readonly template: Template; readonly paths: ReadonlyMap<string, string> }
>;

/** A phase that holds the traffic, with how much of what. */
export interface PhasePlan {
  readonly phase: string;
  readonly holds: true;
  /** Peak requests/s of visitors up to which its servers hold it, whatever the database does. */
  readonly serversHoldRps: number;
  /** Servers at the peak; of phases 1 and 2 it is the box. */
  readonly servers: number;
  /** Servers on average over a month, which is what a fleet that shrinks is billed for. */
  readonly averageServers: number;
  readonly serverType: string;
  /** Workers at the peak; 0 where servers do the jobs. */
  readonly workers: number;
  /** Mean sizes of Auto Scaling groups, as the bill takes them. */
  readonly instances: Readonly<Record<string, number>>;
  /** Undefined where the box runs it. */
  readonly database: DatabasePlan | undefined;
  /** CDK context that makes it, `name=value` each. */
  readonly context: readonly string[];
  readonly reasons: readonly Reason[];
  readonly bill: Bill;
}

/** A phase that cannot hold it, or may not. */
export interface PhaseRefusal {
  readonly phase: string;
  readonly holds: false;
  readonly why: string;
}

/** A quantity and how it comes about. */
export interface Reason {
  readonly what: string;
  readonly how: string;
}

export interface Plan {
  /** The cheapest of the phases that hold it; undefined when none does. */
  readonly chosen: PhasePlan | undefined;
  readonly phases: readonly (PhasePlan | PhaseRefusal)[];
}

export function refuse(phase: string, why: string): PhaseRefusal {
  return { phase, holds: false, why };
}
