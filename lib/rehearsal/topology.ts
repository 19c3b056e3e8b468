import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { buildApp } from '../app-bundle';
import { checkParts, type Finding, missingParts } from '../doctor';
import type { Template } from '../template';
import { UsageError } from '../usage-error';
import { type CpuQuota, type CpuQuotas, findCpuQuotas } from './cpu-quota';
import { type DataTiers, down, startDataTiers } from './data-tiers';
import { openEndpoint } from './endpoint';
import { Evolution } from './evolution';
import type { Fault } from './fault';
import { Faults } from './faults';
import { startFront } from './front';
import { Parts } from './parts';
import type { Snapshot } from './snapshot';

export { type ServerSnapshot, type ServerState, type Snapshot, ZONES } from './snapshot';

export type RehearsedPhase = 1 | 2 | 3 | 4;

export interface TopologyPlan {
  readonly phase: RehearsedPhase;

  /**
   * Folder for data and logs. Made when missing; {@link Topology.stop} leaves it, so that logs can be read. Its path must be
   * short, since it holds Unix sockets.
   */
  readonly dir: string;

  /**
   * Servers that run the app; phases 1 and 2 have one.
   *
   * @default 1 in phases 1 and 2, 5 in phase 3, 2 in phase 4
   */
  readonly servers?: number;

  /**
   * vCPUs of each server, such as 0.5; its processes together get no more. In phase 1 the database shares them.
   *
   * @default - no limit
   */
  readonly vcpu?: number;

  /** @default 'postgres' in phases 1 and 2, 'redis' from phase 3 */
  readonly sessions?: 'postgres' | 'redis' | 'cookie' | 'memory';

  /**
   * How the balancer chooses a server: in turn, the one with the fewest requests in flight, by the client's address, or for
   * each visitor the same by a cookie.
   *
   * @default 'roundrobin'
   */
  readonly balance?: 'roundrobin' | 'leastconn' | 'source' | 'sticky';

  /**
   * Whether the balancer chooses for each request (7, as an ALB) or for each connection (4, as an NLB).
   *
   * @default 7
   */
  readonly layer?: 4 | 7;

  /**
   * Read replicas of the database, from phase 3.
   *
   * @default 2
   */
  readonly replicas?: number;

  /**
   * Whether servers refuse at once what is more than they can do; without it, to show what that is for.
   *
   * @default true
   */
  readonly shedding?: boolean;

  /**
   * Requests that the balancer lets each server work on at once; as many more wait, and the rest is refused.
   *
   * @default - no bound, as with an Application Load Balancer
   */
  readonly maxInFlight?: number;

  /**
   * Whether servers keep answers of the catalogue; without it, to show what that is for. The edge of phase 4 keeps them anyway.
   *
   * @default true
   */
  readonly cache?: boolean;

  /**
   * Scaling policies that start and stop servers: those of a synthesized template. Only phase 4.
   *
   * @default - the number of servers stays
   */
  readonly scaling?: {
    /** The synthesized template of phase 4. */
    readonly template: Template;
    /** Cloud seconds that pass in a second here, for the controller's periods and for booting: 20 makes 5 minutes 15 s. */
    readonly timeScale: number;
    /**
     * Policies act from then on.
     *
     * @default - at once
     */
    readonly begin?: Promise<void> | undefined;
  };

  /**
   * Whether it can go on to the next phase; visitors then enter by an address that leads to the phase that serves.
   *
   * @default false
   */
  readonly evolves?: boolean;

  /**
   * TCP port on loopback where visitors enter.
   *
   * @default - a free one
   */
  readonly port?: number;

  /**
   * What is there from an earlier run, and outlives this one.
   *
   * @default - everything is made anew
   */
  readonly kept?: {
    /** Folder of the primary that has a machine of its own. */
    readonly database: string;
    readonly sessionSecret: string;
  };

  /** Told one line for each step of the start. */
  readonly say?: (line: string) => void;
}

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
  /** Whether each server has the plan's vCPUs and no more; also true where the plan sets no limit. */
  readonly confined: boolean;
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
  const { say = () => {}, vcpu } = plan;
  const dir = resolve(plan.dir);
  mkdirSync(dir, { recursive: true });
  const begin = performance.now();
  const events: Topology['events'] = new EventEmitter();
  const tell = (what: string) => void events.emit('event', { at: performance.now() - begin, what });

  say('building the app');
  const bundle = buildApp();
  const quotas = vcpu === undefined ? undefined : findCpuQuotas();
  const box = plan.phase <= 2 && vcpu !== undefined && quotas ? await parts.add(quotas.create('box', vcpu)) : undefined;
  let launched = 0;
  const number = () => {
    launched += 1;
    return launched;
  };
  const sessionSecret = plan.kept?.sessionSecret ?? randomBytes(32).toString('base64url');
  const serve = async (of: TopologyPlan, data: DataTiers) => {
    const quota = of.phase <= 2 && box ? keeping(box) : quotas?.create;
    const front = await startFront(of, { dir, bundle, data, sessionSecret, quota, number, tell }, parts);
    const faults = await parts.add(new Faults({ phase: of.phase, dir, ...front, ...data, tell }));
    return { phase: of.phase, data, front, faults };
  };
  say(plan.phase <= 2 ? 'starting the database' : 'starting database and Redis');
  const data = await startDataTiers(plan, { dir, box }, parts);
  say(plan.phase <= 2 ? 'starting the server' : 'starting balancer and servers');
  let now = await serve(plan, data);
  const address = plan.evolves ? await openEndpoint(now.front.port, plan.port) : undefined;
  const evolution = address && new Evolution({ dir, bundle, parts, address, serve, tell });
  if (address && evolution) await parts.add({ stop: async () => address.close() });

  return {
    get phase() {
      return now.phase;
    },
    get becoming() {
      return evolution?.becoming;
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
      if (fault.kind === 'deploy' || fault.kind === 'resize') evolution?.checkStays(fault.kind);
      if (fault.kind !== 'next-phase') return now.faults.begin(fault);
      if (evolution === undefined) throw new UsageError('next-phase: this run stays in its phase');
      now = await evolution.next(plan, now);
      return `phase ${now.phase} serves`;
    },
    scale: async (count) => {
      evolution?.checkStays('scale');
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
