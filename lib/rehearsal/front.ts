import { join } from 'node:path';
import type { AppBundle } from '../app-bundle';
import { FLEET_SURGE, HEALTH_INTERVAL, HEALTH_UNHEALTHY_COUNT } from '../constants';
import { readScalingGroup } from '../planner/scaling/read-scaling-group';
import { freePort } from '../processes';
import type { CpuQuotas } from './cpu-quota';
import type { DataTiers } from './data-tiers';
import { type EdgeCache, startEdgeCache } from './edge-cache';
import { RECOVERY } from './faults';
import { type Haproxy, startHaproxy } from './haproxy';
import { type Parts, together } from './parts';
import { startScalingLoop } from './scaling-loop';
import { ServerGroup, type ServerGroupOptions } from './server-group';
import type { TopologyPlan } from './topology';

/** What serves visitors in a phase. */
export interface Front {
  /** Where they enter. */
  readonly port: number;
  readonly servers: ServerGroup;
  readonly workers: ServerGroup | undefined;
  readonly edge: EdgeCache | undefined;
  /** For when visitors enter elsewhere: connections that are open end in order, then the servers leave. */
  leave(): Promise<void>;
}

export interface FrontOptions {
  readonly dir: string;
  readonly bundle: AppBundle;
  readonly data: DataTiers;
  readonly sessionSecret: string;
  readonly quota: CpuQuotas['create'] | undefined;
  /** The number of the next server: no two have the same, also of different phases. */
  readonly number: () => number;
  readonly tell: (what: string) => void;
}

const DEFAULT_SERVERS = { 1: 1, 2: 1, 3: 5, 4: 2 } as const;

/** Most servers at one time, those that are on their way in or out included. */
const MAX_SERVERS = 40;

/** Seconds from the start of an instance until the app starts on it; see `lib/planner/scaling/profile.ts`. */
const BOOT = 26;

/** Seconds between two publications of the app's metrics. */
const METRICS_PERIOD = 10;

/** Starts the servers of a phase over its data tiers, with balancer and edge before them. */
export async function startFront(plan: TopologyPlan, options: FrontOptions, parts: Parts): Promise<Front> {
  const { phase, scaling } = plan;
  const { dir, bundle, data, quota, number, tell } = options;
  const port = (plan.evolves ? undefined : plan.port) ?? (await freePort());
  const inner = phase === 4 ? await freePort() : port;
  const balancer = phase >= 3 ? await parts.add(startBalancer(plan, dir, inner)) : undefined;
  const edge =
    phase === 4 && balancer
      ? await parts.add(startEdgeCache({ dir: join(dir, 'edge'), origin: balancer.port, port }))
      : undefined;
  const common: Omit<ServerGroupOptions, 'name'> = {
    bundle,
    dir,
    // Behind a balancer, each takes a port of its own.
    env: environment(plan, options, phase <= 2 ? port : 0),
    spot: phase === 4,
    vcpu: plan.vcpu,
    quota,
    missedAfter: phase <= 2 ? RECOVERY : HEALTH_INTERVAL * HEALTH_UNHEALTHY_COUNT,
    boot: scaling ? BOOT / scaling.timeScale : 0,
    tell,
  };
  const servers = await parts.add(new ServerGroup({ ...common, name: 'server', number, balancer }));
  const workers = data.queue && (await parts.add(new ServerGroup({ ...common, name: 'worker' })));
  await together([servers.begin(plan.servers ?? DEFAULT_SERVERS[phase]), workers?.begin(1) ?? Promise.resolve()]);
  if (scaling) {
    const { timeScale, begin } = scaling;
    const loop = { timeScale, begin, tell };
    const web = readScalingGroup(scaling.template, { group: 'ElasticFleet' });
    await parts.add(startScalingLoop({ ...loop, group: web, servers }));
    if (workers) {
      const group = readScalingGroup(scaling.template, { group: 'Workers' });
      await parts.add(startScalingLoop({ ...loop, group, servers: workers, backlog: data.queue?.jobs }));
    }
  }
  return { port, servers, workers, edge, leave: () => leave(servers, balancer) };
}

/** Ends a farm that visitors no longer enter. A server that is on its way in still wants to register: it comes first. */
export async function leave(servers: ServerGroup, balancer: Haproxy | undefined): Promise<void> {
  await servers.settled();
  await balancer?.drain();
  await servers.scale(0);
}

function startBalancer(plan: TopologyPlan, dir: string, port: number): Promise<Haproxy> {
  const { phase, balance = 'roundrobin', layer = 7, maxInFlight } = plan;
  return startHaproxy({
    port,
    dir: join(dir, `balancer-${phase}`),
    maxServers: MAX_SERVERS,
    balance,
    layer,
    behindEdge: phase === 4,
    ...(maxInFlight !== undefined && { maxInFlight }),
  });
}

/** As the templates set it, but for what is the machine's own. */
function environment(
  { phase, sessions = phase >= 3 ? 'redis' : 'postgres', shedding, cache }: TopologyPlan,
  { data, sessionSecret }: FrontOptions,
  port: number,
): Record<string, string> {
  const { database, redis, queue } = data;
  return {
    HOST: '127.0.0.1',
    PORT: String(port),
    PHASE: String(phase),
    // A line for each request would be the most that is written here.
    LOG_LEVEL: 'warn',
    SESSION_SECRET: sessionSecret,
    SESSION_STORE: sessions,
    MAX_SERVERS: String(phase >= 3 ? Math.ceil((MAX_SERVERS * (100 + FLEET_SURGE)) / 100) : 1),
    // Balancer and edge add themselves; before them, visitors say which address they stand for.
    TRUST_PROXY: phase === 4 ? '2' : '1',
    ...(shedding === false && { LOAD_SHEDDING: 'false' }),
    ...(cache === false && { CATALOGUE_CACHE: 'false' }),
    ...database.environment,
    ...(redis && { REDIS_URL: redis.url, REDIS_MIN_REPLICAS: '1' }),
    ...(queue && { ...queue.environment, METRICS_NAMESPACE: 'Shop', METRICS_PERIOD: String(METRICS_PERIOD) }),
  };
}
