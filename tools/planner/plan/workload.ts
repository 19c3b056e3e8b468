import { type ExpectedTraffic, JOBS_PER_WRITE } from '../cost/usage';
import type { Usl } from '../usl';
import type { Demand } from './demand';

/** A measured scalability law. */
export interface MeasuredUsl extends Pick<Usl, 'lambda' | 'sigma' | 'kappa'> {
  /** vCPUs of each measured server. @default - `lambda` applies to a server of any size */
  readonly vcpus?: number;
}

export interface PlanInput {
  readonly traffic: ExpectedTraffic;
  /** Hit ratio of the app's caches for catalog reads. */
  readonly cacheHitRatio: number;
  /** Target utilization of each tier at the peak, 0 to 1. */
  readonly utilization: number;
  /** Failure that must not cause an outage. */
  readonly survive: 'nothing' | 'server' | 'zone';
  /** CPU seconds per background job. */
  readonly jobSeconds: number;
  readonly demand: Demand;
  readonly usl?: MeasuredUsl;
}

export const PLAN_DEFAULTS = {
  cacheHitRatio: { value: 0.8, why: 'low end of the 80-95% that caches reach' },
  utilization: { value: 0.6, why: 'CPU target of the scaling policy in phase 4' },
  jobSeconds: { value: 0.05, why: 'a receipt renders one page and writes one row' },
} as const;

/** Maximum utilization of a tier after the loss of a server, a zone or a replica. */
export const UTILIZATION_AFTER_LOSS = 0.8;

/** Availability Zones of a fleet. */
export const ZONES = 3;

/** Share of requests that read the session: carts, orders, logins. */
const SESSION_RATIO = 0.15;

/** CPU baseline of a burstable vCPU; sustained use above it costs surplus credits. */
export const BURSTABLE_BASELINE = 0.2;

/** Requests/s by class, at the peak or at the mean. */
export interface Load {
  /** Requests that reach the servers. */
  readonly origin: number;
  readonly catalogue: number;
  readonly misses: number;
  readonly sessions: number;
  readonly writes: number;
  readonly jobs: number;
}

/** @param hasEdge whether there is an edge cache; it serves neither session reads nor writes */
export function loadOf({ traffic, cacheHitRatio }: PlanInput, rps: number, hasEdge: boolean): Load {
  const writes = rps * traffic.writeRatio;
  const sessions = Math.min(rps - writes, rps * SESSION_RATIO);
  const origin = hasEdge ? Math.max(rps * (1 - traffic.edgeHitRatio), writes + sessions) : rps;
  const catalogue = origin - writes - sessions;
  const misses = catalogue * (1 - cacheHitRatio);
  return { origin, catalogue, misses, sessions, writes, jobs: writes * JOBS_PER_WRITE };
}

/** Busy vCPUs of the servers, without background jobs. */
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

/** Busy vCPUs of the database: writes need the writer, reads can go to replicas. */
export function databaseVcpus({ demand: { database } }: PlanInput, load: Load): { writes: number; reads: number } {
  return {
    writes: (load.writes * database.write) / 1000,
    reads: (load.misses * database.miss + load.sessions * database.session) / 1000,
  };
}

/** CPU seconds of Valkey per session read; about 9 microseconds were measured next to the app. */
const CACHE_SECONDS = 9e-6;

/** Busy share of the primary Valkey node. Commands run on one thread, so 1 is the limit for any node type. */
export function cacheThreads(load: Load): number {
  return (load.sessions + load.writes) * CACHE_SECONDS;
}
