import type { Findings, RehearsalSecond, Report } from '../../tools/rehearsal/rehearse/findings';
import { judge } from '../../tools/rehearsal/rehearse/verdict';
import type { ServerSnapshot, Snapshot } from '../../tools/rehearsal/topology/snapshot';
import { KINDS, type TrafficSummary } from '../../tools/rehearsal/traffic/messages';

/** Findings of a successful rehearsal: 30 s on five servers. */
export function findings(changes: Partial<Findings> = {}): Findings {
  return {
    scenario: {
      phase: 3,
      servers: 5,
      load: { profile: 'steady', rps: 100, seconds: 30, factor: 1 },
      steps: [],
    },
    seconds: Array.from({ length: 30 }, (_, index) => second(index + 1)),
    events: [],
    fired: [],
    traffic: traffic(),
    audit: {
      cartItems: { acknowledged: 40, lost: 0 },
      orders: { acknowledged: 20, lost: 0 },
      logIns: { acknowledged: 25, lost: 0 },
      unasked: 0,
      stockErrors: 0,
      staleReads: 0,
      unanswered: 0,
      receiptsWaiting: 0,
      examples: [],
    },
    servers: servers(),
    notes: [],
    ...changes,
  };
}

export function report(changes: Partial<Findings> = {}): Report {
  const found = findings(changes);
  return {
    ...found,
    command: 'npm run rehearse -- 3',
    machine: '2 cores',
    startedAt: '2026-01-02T03:04:05.000Z',
    ...judge(found),
  };
}

export function second(at: number, changes: Partial<RehearsalSecond> = {}): RehearsalSecond {
  return {
    at,
    due: 100,
    reloads: 0,
    inTime: 100,
    rps: 100,
    counts: { ok: 100, refused: 0, failed: 0, wrong: 0 },
    sources: { edge: 0, cache: 19, database: 1 },
    servers: {},
    latency: { p50: 2, p95: 5, p99: 9, max: 20 },
    inFlight: 4,
    acknowledged: at,
    missed: 0,
    lateMs: 1,
    busy: 0.1,
    idle: 0.5,
    inService: 5,
    desired: 5,
    queries: { primary: 30, writes: 10, replicas: 20 },
    connections: { primary: 12, limit: 200 },
    ...changes,
  };
}

export function traffic(changes: Partial<TrafficSummary> = {}): TrafficSummary {
  const latency = { p50: 2, p95: 5, p99: 9, max: 20 };
  const ofKind = { counts: { ok: 500, refused: 0, failed: 0, wrong: 0 }, latency };
  return {
    seconds: 30,
    due: 3000,
    reloads: 0,
    counts: { ok: 3000, refused: 0, failed: 0, wrong: 0 },
    failures: {},
    latency,
    byKind: Object.fromEntries(KINDS.map((kind) => [kind, ofKind])) as TrafficSummary['byKind'],
    sources: { edge: 0, cache: 570, database: 30 },
    failureLatency: { p50: 0, p95: 0, p99: 0, max: 0 },
    unsent: 0,
    visitors: { came: 200, cameBack: 20, moved: 0 },
    lateSeconds: 0,
    ...changes,
  };
}

/** Five servers in three zones with equal load. */
export function servers(): ServerSnapshot[] {
  return ['a', 'b', 'c', 'a', 'b'].map((zone, index) => ({
    name: `server-${index + 1}`,
    zone,
    version: '1',
    state: 'in-service',
    pid: 100 + index,
    requests: 600,
    failures: 0,
    inFlight: 1,
    port: 8001 + index,
    counted: true,
    cpuSeconds: 3,
  }));
}

/** A snapshot in which the first server gets more requests. @param count number of servers, at most five */
export function snapshot(count = 5): Snapshot {
  return {
    at: 0,
    desired: count,
    servers: servers()
      .slice(0, count)
      .map((one, index) => ({ ...one, requests: index === 0 ? 400 : 150 })),
    queries: { primary: 0, writes: 0, replicas: [0, 0] },
    connections: { primary: 12, limit: 200 },
  };
}
