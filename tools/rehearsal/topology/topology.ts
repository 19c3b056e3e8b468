import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { buildApp } from '../../support/app-bundle';
import { findMissingPrograms, type ProgramCheck, requirePrograms } from '../../support/doctor';
import { UsageError } from '../../support/usage-error';
import { type CpuQuota, type CpuQuotas, findCpuQuotas } from '../programs/cpu-quota';
import { openEndpoint } from '../programs/endpoint';
import { Parts } from '../programs/parts';
import { type DataTiers, down, startDataTiers } from './data-tiers';
import type { Fault } from './fault';
import { Faults } from './faults';
import { startFront } from './front';
import { PhaseSwitch } from './next-phase';
import type { Snapshot } from './snapshot';
import type { RehearsedPhase, TopologyPlan } from './topology-plan';

/** An event of the topology, for chart and log. */
export interface TopologyEvent {
  /** Milliseconds since the start of the topology. */
  readonly at: number;
  readonly what: string;
}

/** A phase running on this machine. */
export interface Topology {
  readonly phase: RehearsedPhase;
  /** The next phase during a transition. */
  readonly becoming?: RehearsedPhase | undefined;
  /** URL for visitors: the server, the balancer, or the edge. */
  readonly url: string;
  /** Connection string of the primary for audits. Bypasses pooler and injected network delays. */
  readonly databaseUrl: string;
  /** Whether each server has the plan's vCPUs and no more; true without a limit. */
  readonly confined: boolean;
  /** Differences from the cloud in this run, such as missing CPU quotas; one line each. */
  readonly notes: readonly string[];
  /** Emits `event` with a {@link TopologyEvent}. */
  readonly events: EventEmitter<{ event: [TopologyEvent] }>;
  /**
   * Injects a fault. Resolves to a description of its effect once injected; `next-phase` resolves when the next phase
   * serves. Recovery is reported through `events`.
   */
  inject(fault: Fault): Promise<string>;
  /**
   * Sets the desired capacity of the group. Resolves when launches and terminations are complete.
   *
   * @throws UsageError during a transition to the next phase
   */
  scale(servers: number): Promise<void>;
  snapshot(): Promise<Snapshot>;
  /** Stops every process. Safe to call twice. */
  stop(): Promise<void>;
}

/** System programs that a phase requires, by their names in `npm run doctor`. */
const PROGRAMS = {
  1: [],
  2: [],
  3: ['haproxy', 'redis-server'],
  4: ['haproxy', 'redis-server', 'pgbouncer', 'moto server'],
} as const;

/**
 * Starts a phase from real programs: the bundled app as one process per server, HAProxy as balancer and edge, PostgreSQL with
 * streaming replicas, Redis with a replica, PgBouncer, moto for SQS and CloudWatch. All of them stop when this process exits,
 * even on SIGKILL.
 *
 * @throws UsageError when a program is missing, with the command that installs it
 */
export async function startTopology(plan: TopologyPlan): Promise<Topology> {
  checkPrograms(plan.evolves ? 4 : plan.phase);
  const parts = new Parts();
  try {
    return await assemble(plan, parts);
  } catch (error) {
    await parts.stop();
    throw error;
  }
}

/** Lists system programs that a phase requires and this machine lacks. */
export function missingPrograms(phase: RehearsedPhase): ProgramCheck[] {
  return findMissingPrograms(PROGRAMS[phase]);
}

/** @throws UsageError when a program is missing, with the command that installs it */
export function checkPrograms(phase: RehearsedPhase): void {
  requirePrograms(`phase ${phase}`, PROGRAMS[phase]);
}

async function assemble(plan: TopologyPlan, parts: Parts): Promise<Topology> {
  const { onProgress = () => {}, vcpu } = plan;
  const dir = resolve(plan.dir);
  mkdirSync(dir, { recursive: true });
  const begin = performance.now();
  const events: Topology['events'] = new EventEmitter();
  const onEvent = (what: string) => void events.emit('event', { at: performance.now() - begin, what });

  onProgress('building the app');
  const bundle = buildApp();
  const quotas = vcpu === undefined ? undefined : findCpuQuotas();
  const box = plan.phase <= 2 && vcpu !== undefined && quotas ? await parts.add(quotas.create('box', vcpu)) : undefined;
  let launched = 0;
  const number = () => {
    launched += 1;
    return launched;
  };
  const sessionSecret = plan.persisted?.sessionSecret ?? randomBytes(32).toString('base64url');
  const serve = async (of: TopologyPlan, data: DataTiers) => {
    const quota = of.phase <= 2 && box ? reuseQuota(box) : quotas?.create;
    const front = await startFront(of, { dir, bundle, data, sessionSecret, quota, number, onEvent }, parts);
    const faults = await parts.add(new Faults({ phase: of.phase, dir, ...front, ...data, onEvent }));
    return { phase: of.phase, data, front, faults };
  };
  onProgress(plan.phase <= 2 ? 'starting the database' : 'starting database and Redis');
  const data = await startDataTiers(plan, { dir, box }, parts);
  onProgress(plan.phase <= 2 ? 'starting the server' : 'starting balancer and servers');
  let now = await serve(plan, data);
  const address = plan.evolves ? await openEndpoint(now.front.port, plan.port) : undefined;
  const phaseSwitch = address && new PhaseSwitch({ dir, bundle, parts, address, serve, onEvent });
  if (address && phaseSwitch) await parts.add({ stop: async () => address.close() });

  return {
    get phase() {
      return now.phase;
    },
    get becoming() {
      return phaseSwitch?.becoming;
    },
    get url() {
      return `http://127.0.0.1:${address?.port ?? now.front.port}`;
    },
    get databaseUrl() {
      return now.data.database.url;
    },
    confined: plan.vcpu === undefined || quotas !== undefined,
    notes: notes(plan, quotas !== undefined),
    events,
    inject: async (fault) => {
      if (fault.kind === 'deploy' || fault.kind === 'resize') phaseSwitch?.checkIdle(fault.kind);
      if (fault.kind !== 'next-phase') return now.faults.begin(fault);
      if (phaseSwitch === undefined) throw new UsageError('next-phase: not available in this run.');
      now = await phaseSwitch.next(plan, now);
      return `phase ${now.phase} serves`;
    },
    scale: async (count) => {
      phaseSwitch?.checkIdle('scale');
      await now.front.servers.scale(count);
    },
    snapshot: async () => {
      const { front, data: of } = now;
      const [web, background, queries, connections, lookups, shared, jobs] = await Promise.all([
        front.servers.snapshot(),
        front.workers?.snapshot(),
        of.database.queries(),
        of.database.connections(),
        front.edge?.counters().catch(() => undefined),
        of.redis?.lookups(),
        of.queue?.jobs().catch(() => undefined),
      ]);
      const unavailable = down(of);
      return {
        at: performance.now() - begin,
        desired: front.servers.desired,
        servers: web,
        ...(background && { workers: background }),
        queries,
        connections,
        ...(lookups && { edge: lookups }),
        ...(shared && { redis: shared }),
        ...(jobs !== undefined && { jobs }),
        ...(unavailable.length > 0 && { down: unavailable }),
      };
    },
    stop: () => parts.stop(),
  };
}

/** Reuses the instance's quota when its app restarts. */
function reuseQuota(box: CpuQuota): CpuQuotas['create'] {
  return (_name, vcpu) => {
    box.resize(vcpu);
    return { ...box, stop: async () => {} };
  };
}

function notes(plan: TopologyPlan, limited: boolean): string[] {
  return [
    ...(plan.vcpu !== undefined && !limited
      ? [
          'No CPU quotas: this system has no control groups, or this user cannot create them. Servers share all processors.',
        ]
      : []),
    ...(plan.maxInFlight === undefined
      ? []
      : [
          `The balancer sends at most ${plan.maxInFlight} concurrent requests to each server, queues as many more and refuses the rest. An Application Load Balancer has no such limit: there, excess requests wait until a server accepts them, and only accepted requests can be shed.`,
        ]),
    ...(plan.scaling ? [`Scaling policies run at ${plan.scaling.timeScale} times real time.`] : []),
  ];
}
