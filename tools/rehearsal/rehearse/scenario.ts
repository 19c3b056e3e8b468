import type { Fault } from '../topology/fault';
import type { RehearsedPhase, TopologyPlan } from '../topology/topology-plan';
import type { Load } from '../traffic/profiles';

/** What is done to a running rehearsal: a fault, another number of servers, or more or less traffic. */
export type Action =
  | Fault
  | { readonly kind: 'scale'; readonly servers: number }
  /** So many times what the profile says. */
  | { readonly kind: 'traffic'; readonly factor: number };

export interface Step {
  /** Seconds from the start of the traffic. */
  readonly at: number;
  readonly action: Action;
}

/** A rehearsal: which phase, under which load, and what happens when. */
export interface Scenario
  extends Pick<
    TopologyPlan,
    'servers' | 'vcpu' | 'sessions' | 'balance' | 'layer' | 'replicas' | 'shedding' | 'cache' | 'maxInFlight'
  > {
  readonly phase: RehearsedPhase;
  /**
   * The phase that it has become at the end.
   *
   * @default - it stays
   */
  readonly until?: RehearsedPhase;
  readonly load: Load;
  /** No rate was given: it may be lowered to what this machine carries. */
  readonly rpsIsDefault?: true;
  /**
   * How often a visitor loads something again that did not come.
   *
   * @default 0
   */
  readonly reloads?: number | undefined;
  /** The top of the load is more than the servers can do. */
  readonly overload?: true;
  readonly steps: readonly Step[];
  /**
   * Phase 4: the template's scaling policies decide how many servers there are, and so many of their seconds pass in one.
   *
   * @default - the number of servers stays
   */
  readonly timeScale?: number;
}

/** Most that a rehearsal may ask of the machine. */
export const LIMITS = { seconds: 900, rps: 5_000, requests: 1_000_000, servers: 20, steps: 50 } as const;

export function defaultServers(phase: RehearsedPhase): number {
  return { 1: 1, 2: 1, 3: 5, 4: 2 }[phase];
}

/** The phases that have what an action is done to. */
export function phasesOf(action: Action): readonly RehearsedPhase[] {
  switch (action.kind) {
    case 'kill-servers':
    case 'stop-servers':
    case 'deploy':
    case 'traffic':
      return [1, 2, 3, 4];
    case 'resize':
      return [1, 2];
    case 'next-phase':
      return [1, 2, 3];
    case 'slow-network':
      return action.to === 'database' ? [2, 3, 4] : [3, 4];
    case 'kill-database':
      return [2, 3, 4];
    case 'spot-notice':
    case 'kill-workers':
      return [4];
    default:
      return [3, 4];
  }
}
