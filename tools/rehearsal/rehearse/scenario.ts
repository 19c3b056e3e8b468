import type { Fault } from '../topology/fault';
import type { RehearsedPhase, TopologyPlan } from '../topology/topology-plan';
import type { Load } from '../traffic/profiles';

/** An action on a running rehearsal: a fault, a new desired capacity, or a change of the traffic. */
export type Action =
  | Fault
  | { readonly kind: 'scale'; readonly servers: number }
  /** Multiplies the rate of the profile. */
  | { readonly kind: 'traffic'; readonly factor: number };

export interface Step {
  /** Seconds from the start of the traffic. */
  readonly at: number;
  readonly action: Action;
}

/** Requests per second without `--rps`. */
export const DEFAULT_RPS = 100;

/** Input of a rehearsal: phase, topology, load and steps. */
export interface Scenario
  extends Pick<
    TopologyPlan,
    'servers' | 'vcpu' | 'sessions' | 'balance' | 'layer' | 'replicas' | 'shedding' | 'cache' | 'maxInFlight'
  > {
  readonly phase: RehearsedPhase;
  /**
   * Last phase of an evolution.
   *
   * @default - no evolution
   */
  readonly until?: RehearsedPhase;
  readonly load: Load;
  /** The rate is a default, and may be lowered to what this machine carries. */
  readonly rpsIsDefault?: true;
  /**
   * Retries per failed request.
   *
   * @default 0
   */
  readonly reloads?: number | undefined;
  /** The peak of the load exceeds the capacity of the servers. */
  readonly overload?: true;
  readonly steps: readonly Step[];
  /**
   * Phase 4: simulated seconds per second for the template's scaling policies, which set the desired capacity.
   *
   * @default - the desired capacity is fixed
   */
  readonly timeScale?: number;
}

/** Limits of a rehearsal. */
export const LIMITS = { seconds: 900, rps: 5_000, requests: 1_000_000, servers: 20, steps: 50 } as const;

/** Minimum and maximum of each setting, for flags and scenario files. */
export const BOUNDS = {
  servers: [1, LIMITS.servers],
  vcpu: [0.05, 16],
  replicas: [0, 5],
  reloads: [0, 10],
  timeScale: [1, 120],
  seconds: [5, LIMITS.seconds],
  rps: [1, LIMITS.rps],
  factor: [1, 50],
  outageSeconds: [1, 120],
  delayMs: [1, 5_000],
} as const;

export function defaultServers(phase: RehearsedPhase): number {
  return { 1: 1, 2: 1, 3: 5, 4: 2 }[phase];
}

/** Returns the phases that support an action. */
export function supportedPhases(action: Action): readonly RehearsedPhase[] {
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
