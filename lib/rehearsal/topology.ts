import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { buildApp } from '../app-bundle';
import { FLEET_SURGE, HEALTH_INTERVAL, HEALTH_UNHEALTHY_COUNT } from '../constants';
import { examine } from '../doctor';
import { readScalingGroup } from '../planner/scaling/read-scaling-group';
import { freePort } from '../processes';
import type { Template } from '../template';
import { UsageError } from '../usage-error';
import { type CpuQuota, findCpuQuotas } from './cpu-quota';
import { DatabaseTier } from './database-tier';
import { type EdgeCache, startEdgeCache } from './edge-cache';
import type { Fault } from './fault';
import { Faults, RECOVERY } from './faults';
import { type Haproxy, startHaproxy } from './haproxy';
import { type JobQueue, startJobQueue } from './job-queue';
import { Parts, together } from './parts';
import { RedisTier } from './redis-tier';
import { startScalingLoop } from './scaling-loop';
import { ServerGroup, type ServerGroupOptions } from './server-group';
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
   * Scaling policies that start and stop servers: those of a synthesized template. Only phase 4.
   *
   * @default - the number of servers stays
   */
  readonly scaling?: {
    /** The synthesized template of phase 4. */
    readonly template: Template;
    /** Cloud seconds that pass in a second here, for the controller's periods and for booting: 20 makes 5 minutes 15 s. */
    readonly timeScale: number;
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
  /** Where visitors enter: the server, the balancer, or the edge. */
  readonly url: string;
  /** Connection string of the primary, past every proxy and slow network; for audits. */
  readonly databaseUrl: string;
  /** What holds of this run and is not as in the cloud, such as CPU quotas that this user may not set; a line each. */
  readonly notes: readonly string[];
  /** Emits `event` with a {@link TopologyEvent}. */
  readonly events: EventEmitter<{ event: [TopologyEvent] }>;
  /** Begins a fault, and resolves to what was done in words once it has begun; how it goes on is told by `events`. */
  inject(fault: Fault): Promise<string>;
  /** Sets how many servers the group wants. Resolves when as many are in service and the others have left. */
  scale(servers: number): Promise<void>;
  snapshot(): Promise<Snapshot>;
  /** Ends every process. Safe to call twice. */
  stop(): Promise<void>;
}

const DEFAULT_SERVERS = { 1: 1, 2: 1, 3: 5, 4: 2 } as const;

/** Most servers at one time, those that are on their way in or out included. */
const MAX_SERVERS = 40;

/** Programs of the system that a phase needs, as `npm run doctor` calls them. */
const PROGRAMS = {
  1: [],
  2: [],
  3: ['haproxy', 'redis-server'],
  4: ['haproxy', 'redis-server', 'pgbouncer', 'moto server'],
} as const;

/** Seconds from the start of an instance until the app starts on it; see `lib/planner/scaling/profile.ts`. */
const BOOT = 26;

/** Seconds between two publications of the app's metrics. */
const METRICS_PERIOD = 10;

/**
 * Starts a phase with real parts: the bundled app as a process for each server, HAProxy as balancer and edge, PostgreSQL with
 * streaming replicas, Redis with a replica, PgBouncer, moto for SQS and CloudWatch. When this process dies, however it does,
 * everything that it started ends too.
 *
 * @throws UsageError when a program is missing, with the command that installs it
 */
export async function startTopology(plan: TopologyPlan): Promise<Topology> {
  checkPrograms(plan.phase);
  const parts = new Parts();
  try {
    return await assemble(plan, parts);
  } catch (error) {
    await parts.stop();
    throw error;
  }
}

function checkPrograms(phase: RehearsedPhase): void {
  const missing = examine(PROGRAMS[phase]).filter(({ found }) => found === undefined);
  if (missing.length === 0) return;
  const commands = missing.map(({ name, install }) => `${name} is not here: ${install}`);
  throw new UsageError(`phase ${phase} needs programs of the system; ${commands.join('; ')}`);
}

async function assemble(plan: TopologyPlan, parts: Parts): Promise<Topology> {
  const { phase, say = () => {} } = plan;
  const dir = resolve(plan.dir);
  mkdirSync(dir, { recursive: true });
  const begin = performance.now();
  const events: Topology['events'] = new EventEmitter();
  const tell = (what: string) => void events.emit('event', { at: performance.now() - begin, what });

  say('building the app');
  const bundle = buildApp();
  say(phase <= 2 ? 'starting the database' : 'starting database, Redis and balancer');
  const quotas = plan.vcpu === undefined ? undefined : findCpuQuotas();
  const box = phase <= 2 && quotas ? await parts.add(quotas.create('box', plan.vcpu as number)) : undefined;
  const tiers = await startTiers(plan, dir, box, parts);
  const { database, redis, queue, balancer, edge } = tiers;

  const port = phase <= 2 ? await freePort() : 0;
  const common: Omit<ServerGroupOptions, 'name'> = {
    bundle,
    dir,
    env: environment(plan, tiers, port),
    spot: phase === 4,
    vcpu: plan.vcpu,
    quota: box ? keeping(box) : quotas?.create,
    missedAfter: phase <= 2 ? RECOVERY : HEALTH_INTERVAL * HEALTH_UNHEALTHY_COUNT,
    boot: plan.scaling ? BOOT / plan.scaling.timeScale : 0,
    tell,
  };
  const servers = await parts.add(new ServerGroup({ ...common, name: 'server', balancer }));
  const workers = queue && (await parts.add(new ServerGroup({ ...common, name: 'worker' })));
  say('starting the servers');
  await together([servers.begin(plan.servers ?? DEFAULT_SERVERS[phase]), workers?.begin(1) ?? Promise.resolve()]);
  if (plan.scaling) {
    const { template, timeScale } = plan.scaling;
    const loop = { timeScale, tell };
    const web = readScalingGroup(template, { group: 'ElasticFleet' });
    await parts.add(startScalingLoop({ ...loop, group: web, servers }));
    if (workers && queue) {
      const group = readScalingGroup(template, { group: 'Workers' });
      await parts.add(startScalingLoop({ ...loop, group, servers: workers, backlog: queue.jobs }));
    }
  }
  const faults = await parts.add(new Faults({ phase, dir, servers, database, redis, tell }));

  return {
    phase,
    url: edge?.url ?? balancer?.url ?? `http://127.0.0.1:${port}`,
    databaseUrl: database.url,
    notes: notes(plan, quotas !== undefined),
    events,
    inject: (fault) => faults.begin(fault),
    scale: (count) => servers.scale(count),
    snapshot: async () => {
      const [web, background, queries, lookups, shared, jobs] = await Promise.all([
        servers.snapshot(),
        workers?.snapshot(),
        database.queries(),
        edge?.counters().catch(() => undefined),
        redis?.lookups(),
        queue?.jobs().catch(() => undefined),
      ]);
      return {
        at: performance.now() - begin,
        desired: servers.desired,
        servers: web,
        ...(background && { workers: background }),
        queries,
        ...(lookups && { edge: lookups }),
        ...(shared && { redis: shared }),
        ...(jobs !== undefined && { jobs }),
      };
    },
    stop: () => parts.stop(),
  };
}

/** What servers work with. */
interface Tiers {
  readonly database: DatabaseTier;
  readonly redis: RedisTier | undefined;
  readonly queue: JobQueue | undefined;
  readonly balancer: Haproxy | undefined;
  readonly edge: EdgeCache | undefined;
}

async function startTiers(
  { phase, ...plan }: TopologyPlan,
  dir: string,
  box: CpuQuota | undefined,
  parts: Parts,
): Promise<Tiers> {
  const [database, redis, queue, balancer] = await together([
    DatabaseTier.start(
      {
        dir,
        replicas: phase >= 3 ? (plan.replicas ?? 2) : 0,
        pooled: phase === 4,
        ...(phase === 1 && { box: { quota: box } }),
      },
      parts,
    ),
    phase >= 3 ? RedisTier.start(dir, parts) : none,
    phase === 4 ? startJobQueue(parts) : none,
    phase >= 3
      ? parts.add(
          startHaproxy({
            dir: join(dir, 'balancer'),
            maxServers: MAX_SERVERS,
            balance: plan.balance ?? 'roundrobin',
            layer: plan.layer ?? 7,
            behindEdge: phase === 4,
          }),
        )
      : none,
  ]);
  const edge =
    phase === 4 && balancer
      ? await parts.add(startEdgeCache({ dir: join(dir, 'edge'), origin: balancer.port }))
      : undefined;
  return { database, redis, queue, balancer, edge };
}

const none = Promise.resolve(undefined);

/** As the templates set it, but for what is the machine's own. */
function environment({ phase, ...plan }: TopologyPlan, tiers: Tiers, port: number): Record<string, string> {
  const { database, redis, queue } = tiers;
  return {
    HOST: '127.0.0.1',
    PORT: String(port),
    PHASE: String(phase),
    // A line for each request would be the most that is written here.
    LOG_LEVEL: 'warn',
    SESSION_SECRET: randomBytes(32).toString('base64url'),
    SESSION_STORE: plan.sessions ?? (phase >= 3 ? 'redis' : 'postgres'),
    MAX_SERVERS: String(phase >= 3 ? Math.ceil((MAX_SERVERS * (100 + FLEET_SURGE)) / 100) : 1),
    // Balancer and edge add themselves; before them, visitors say which address they stand for.
    TRUST_PROXY: phase === 4 ? '2' : '1',
    ...(plan.shedding === false && { LOAD_SHEDDING: 'false' }),
    ...database.environment,
    ...(redis && { REDIS_URL: redis.url, REDIS_MIN_REPLICAS: '1' }),
    ...(queue && { ...queue.environment, METRICS_NAMESPACE: 'Shop', METRICS_PERIOD: String(METRICS_PERIOD) }),
  };
}

/** A box stays the same machine when the app on it starts anew. */
function keeping(box: CpuQuota): ServerGroupOptions['quota'] {
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
    ...(plan.scaling ? [`Time of the scaling policies passes ${plan.scaling.timeScale} times as fast.`] : []),
  ];
}
