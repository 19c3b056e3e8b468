import { JOBS_PER_WRITE, type Traffic } from '../cost/usage';
import type { Usl } from '../usl';
import type { Demand } from './demand';

/** The law by which servers add up, and what they had, when it was measured. */
export interface MeasuredUsl extends Pick<Usl, 'lambda' | 'sigma' | 'kappa'> {
  /** vCPUs of each server that was measured; without it, `lambda` is that of any server. */
  readonly vcpus?: number;
}

export interface PlanInput {
  readonly traffic: Traffic;
  /** Share of catalogue reads that the app's caches answer. */
  readonly cacheHitRatio: number;
  /** Share of its capacity that a tier is used to at the peak. */
  readonly utilization: number;
  /** What must be lost without the shop being down. */
  readonly survive: 'nothing' | 'server' | 'zone';
  /** CPU seconds of a background job. */
  readonly jobSeconds: number;
  readonly demand: Demand;
  readonly usl?: MeasuredUsl;
}

export const PLAN_DEFAULTS = {
  cacheHitRatio: { value: 0.8, why: 'caches answer 80-95% of reads: the low end' },
  utilization: { value: 0.6, why: 'the CPU that the scaling policy of phase 4 keeps' },
  jobSeconds: { value: 0.05, why: 'a receipt is a page and a row' },
} as const;

/** Share of its capacity that a tier may be used to while a server, a zone or a replica is lost: 80% is fine, 99% is the edge. */
export const UTILIZATION_AFTER_LOSS = 0.8;

/** Zones that fleets are spread over. */
export const ZONES = 3;

/** Share of requests that need the visitor's session: carts, orders, log-ins. */
const SESSION_RATIO = 0.15;

/** Share of a burstable vCPU that may be used all the time without paying for more. */
export const BURSTABLE_BASELINE = 0.2;

/** What arrives at a tier, in requests/s, at the peak or at the mean. */
export interface Load {
  /** All that reach the servers. */
  readonly origin: number;
  readonly catalogue: number;
  readonly misses: number;
  readonly sessions: number;
  readonly writes: number;
  readonly jobs: number;
}

/** @param hasEdge whether an edge cache stands in front; it answers neither sessions nor writes */
export function loadOf({ traffic, cacheHitRatio }: PlanInput, rps: number, hasEdge: boolean): Load {
  const writes = rps * traffic.writeRatio;
  const sessions = Math.min(rps - writes, rps * SESSION_RATIO);
  const origin = hasEdge ? Math.max(rps * (1 - traffic.edgeHitRatio), writes + sessions) : rps;
  const catalogue = origin - writes - sessions;
  const misses = catalogue * (1 - cacheHitRatio);
  return { origin, catalogue, misses, sessions, writes, jobs: writes * JOBS_PER_WRITE };
}

/** vCPUs that the servers are busy with, jobs left out. */
export function serverVcpus({ demand: { server } }: PlanInput, load: Load): number {
  const hits = load.catalogue - load.misses;
  return (
    (hits * server.catalogue +
      load.misses * server.miss +
      load.sessions * server.session +
      load.writes * server.write) /
    1000
  );
}

export function jobVcpus({ jobSeconds }: PlanInput, { jobs }: Load): number {
  return jobs * jobSeconds;
}

/** vCPUs that the one that writes is busy with, and those of reads that replicas can take. */
export function databaseVcpus({ demand: { database } }: PlanInput, load: Load): { writes: number; reads: number } {
  return {
    writes: (load.writes * database.write) / 1000,
    reads: (load.misses * database.miss + load.sessions * database.session) / 1000,
  };
}

/** CPU seconds of Valkey for the session of a request: about 9 microseconds were measured beside the app. */
const CACHE_SECONDS = 9e-6;

/** CPU that sessions keep Valkey's primary busy with. It runs commands on one thread, so 1 is its end, whatever the node. */
export function cacheThreads(load: Load): number {
  return (load.sessions + load.writes) * CACHE_SECONDS;
}
