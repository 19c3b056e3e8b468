import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { buildApp } from '../../support/app-bundle';
import { checkParts, type Finding, missingParts } from '../../support/doctor';
import { UsageError } from '../../support/usage-error';
import { type CpuQuota, type CpuQuotas, findCpuQuotas } from '../programs/cpu-quota';
import { openEndpoint } from '../programs/endpoint';
import { Parts } from '../programs/parts';
import { type DataTiers, down, startDataTiers } from './data-tiers';
import type { Fault } from './fault';
import { Faults } from './faults';
import { startFront } from './front';
import { PhaseTransition } from './next-phase';
import type { Snapshot } from './snapshot';
import type { RehearsedPhase, TopologyPlan } from './topology-plan';

/** Something that happened to the topology; for the chart and the log. */
export interface TopologyEvent {
  /** Milliseconds since the start of the topology. */
  readonly at: number;
  readonly what: string;
}

/** A phase that runs on this machine. */
export interface Topology {
  readonly phase: RehearsedPhase;
  /** The phase that is being made of it; absent at other times. */
  readonly becoming?: RehearsedPhase | undefined;
  /** Where visitors enter: the server, the balancer, or the edge. */
  readonly url: string;
  /** Connection string of the primary, past every proxy and slow network; for audits. */
  readonly databaseUrl: string;
  /** What holds of this run and is not as in the cloud, such as CPU quotas that this user may not set; a line each. */
  readonly notes: readonly string[];
  /** Emits `event` with a {@link TopologyEvent}. */
  readonly events: EventEmitter<{ event: [TopologyEvent] }>;
  /**
   * Begins a fault, and resolves to what was done in words once it has begun; how it goes on is told by `events`. The next
   * phase serves by then.
   */
  inject(fault: Fault): Promise<string>;
  /**
   * Sets how many servers the group wants. Resolves when as many are in service and the others have left.
   *
   * @throws UsageError while the next phase is being made, which brings servers of its own
   */
  scale(servers: number): Promise<void>;
  snapshot(): Promise<Snapshot>;
  /** Ends every process. Safe to call twice. */
  stop(): Promise<void>;
}

/** Programs of the system that a phase needs, as `npm run doctor` calls them. */
const PROGRAMS = {
  1: [],
  2: [],
  3: ['haproxy', 'redis-server'],
  4: ['haproxy', 'redis-server', 'pgbouncer', 'moto server'],
} as const;

/**
 * Starts a phase with real parts: the bundled app as a process for each server, HAProxy as balancer and edge, PostgreSQL with
 * streaming replicas, Redis with a replica, PgBouncer, moto for SQS and CloudWatch. When this process dies, however it does,
 * everything that it started ends too.
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

/** Programs of the system that a phase needs and this machine does not have. */
export function missingPrograms(phase: RehearsedPhase): Finding[] {
  return missingParts(PROGRAMS[phase]);
}

/** @throws UsageError when a program is missing, with the command that installs it */
export function checkPrograms(phase: RehearsedPhase): void {
  checkParts(`phase ${phase}`, PROGRAMS[phase]);
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
    const quota = of.phase <= 2 && box ? keeping(box) : quotas?.create;
    const front = await startFront(of, { dir, bundle, data, sessionSecret, quota, number, onEvent }, parts);
    const faults = await parts.add(new Faults({ phase: of.phase, dir, ...front, ...data, onEvent }));
    return { phase: of.phase, data, front, faults };
  };
  onProgress(plan.phase <= 2 ? 'starting the database' : 'starting database and Redis');
  const data = await startDataTiers(plan, { dir, box }, parts);
  onProgress(plan.phase <= 2 ? 'starting the server' : 'starting balancer and servers');
  let now = await serve(plan, data);
  const address = plan.evolves ? await openEndpoint(now.front.port, plan.port) : undefined;
  const transition = address && new PhaseTransition({ dir, bundle, parts, address, serve, onEvent });
  if (address && transition) await parts.add({ stop: async () => address.close() });

  return {
    get phase() {
      return now.phase;
    },
    get becoming() {
      return transition?.becoming;
    },
    get url() {
      return `http://127.0.0.1:${address?.port ?? now.front.port}`;
    },
    get databaseUrl() {
      return now.data.database.url;
    },
    notes: notes(plan, quotas !== undefined),
    events,
    inject: async (fault) => {
      if (fault.kind === 'deploy' || fault.kind === 'resize') transition?.checkIdle(fault.kind);
      if (fault.kind !== 'next-phase') return now.faults.begin(fault);
      if (transition === undefined) throw new UsageError('next-phase: this run stays in its phase');
      now = await transition.next(plan, now);
      return `phase ${now.phase} serves`;
    },
    scale: async (count) => {
      transition?.checkIdle('scale');
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
      const away = down(of);
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
        ...(away.length > 0 && { down: away }),
      };
    },
    stop: () => parts.stop(),
  };
}

/** A box stays the same machine when the app on it starts anew. */
function keeping(box: CpuQuota): CpuQuotas['create'] {
  return (_name, vcpu) => {
    box.resize(vcpu);
    return { ...box, stop: async () => {} };
  };
}

function notes(plan: TopologyPlan, limited: boolean): string[] {
  return [
    ...(plan.vcpu !== undefined && !limited
      ? [
          'No CPU quotas: this system has no control groups, or this user may not make any. Servers share all processors.',
        ]
      : []),
    ...(plan.maxInFlight === undefined
      ? []
      : [
          `The balancer lets ${plan.maxInFlight} requests at once through to each server, lets as many wait and refuses the rest. An Application Load Balancer has no such bound: without it, excess waits for a server that takes it up, and only what is taken up can be refused there.`,
        ]),
    ...(plan.scaling ? [`Time of the scaling policies passes ${plan.scaling.timeScale} times as fast.`] : []),
  ];
}
