import { join } from 'node:path';
import { FLEET_SURGE, HEALTH_INTERVAL, HEALTH_UNHEALTHY_COUNT } from '../../../lib/constants';
import { readScalingGroup } from '../../planner/scaling/read-scaling-group';
import type { AppBundle } from '../../support/app-bundle';
import { freePort } from '../../support/processes';
import type { CpuQuotas } from '../programs/cpu-quota';
import { type EdgeCache, startEdgeCache } from '../programs/edge-cache';
import { type Haproxy, startHaproxy } from '../programs/haproxy';
import { type Parts, together } from '../programs/parts';
import type { DataTiers } from './data-tiers';
import { RECOVERY } from './faults';
import { startScalingLoop } from './scaling-loop';
import { ServerGroup, type ServerGroupOptions } from './server-group';
import type { TopologyPlan } from './topology-plan';

/** The parts of a phase that serve traffic. */
export interface Front {
  /** TCP port where visitors connect. */
  readonly port: number;
  readonly servers: ServerGroup;
  readonly workers: ServerGroup | undefined;
  readonly edge: EdgeCache | undefined;
  /** Drains the balancer's connections, then terminates the servers. Call it once visitors connect elsewhere. */
  drain(): Promise<void>;
}

export interface FrontOptions {
  readonly dir: string;
  readonly bundle: AppBundle;
  readonly data: DataTiers;
  readonly sessionSecret: string;
  readonly quota: CpuQuotas['create'] | undefined;
  /** Returns the number of the next server, unique across phases. */
  readonly number: () => number;
  readonly onEvent: (what: string) => void;
}

const DEFAULT_SERVERS = { 1: 1, 2: 1, 3: 5, 4: 2 } as const;

/** Maximum number of servers, including those that launch or drain. */
const MAX_SERVERS = 40;

/** Seconds from the launch of an instance until its app starts; see `tools/planner/scaling/profile.ts`. */
const BOOT = 26;

/** Seconds between two publications of the app's metrics. */
const METRICS_PERIOD = 10;

/** Starts the servers of a phase on its data tiers, with balancer and edge in front. */
export async function startFront(plan: TopologyPlan, options: FrontOptions, parts: Parts): Promise<Front> {
  const { phase, scaling } = plan;
  const { dir, bundle, data, quota, number, onEvent } = options;
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
    // Behind a balancer, each server listens on a free port.
    env: environment(plan, options, phase <= 2 ? port : 0),
    spot: phase === 4,
    vcpu: plan.vcpu,
    quota,
    detectionSeconds: phase <= 2 ? RECOVERY : HEALTH_INTERVAL * HEALTH_UNHEALTHY_COUNT,
    boot: scaling ? BOOT / scaling.timeScale : 0,
    onEvent,
  };
  const servers = await parts.add(new ServerGroup({ ...common, name: 'server', number, balancer }));
  const workers = data.queue && (await parts.add(new ServerGroup({ ...common, name: 'worker' })));
  await together([servers.begin(plan.servers ?? DEFAULT_SERVERS[phase]), workers?.begin(1) ?? Promise.resolve()]);
  if (scaling) {
    const { timeScale, begin } = scaling;
    const loop = { timeScale, begin, onEvent };
    const web = readScalingGroup(scaling.template, { group: 'ElasticFleet' });
    await parts.add(startScalingLoop({ ...loop, group: web, servers }));
    if (workers) {
      const group = readScalingGroup(scaling.template, { group: 'Workers' });
      await parts.add(startScalingLoop({ ...loop, group, servers: workers, backlog: data.queue?.jobs }));
    }
  }
  return { port, servers, workers, edge, drain: () => drainFront(servers, balancer) };
}

/** Terminates servers without traffic. Waits for launches first, because a launching server still registers itself. */
export async function drainFront(servers: ServerGroup, balancer: Haproxy | undefined): Promise<void> {
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

/** The environment that the templates set, except for values that differ on this machine. */
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
    // A log line per request would dominate disk writes.
    LOG_LEVEL: 'warn',
    SESSION_SECRET: sessionSecret,
    SESSION_STORE: sessions,
    MAX_SERVERS: String(phase >= 3 ? Math.ceil((MAX_SERVERS * (100 + FLEET_SURGE)) / 100) : 1),
    // One hop for the balancer and one for the edge; simulated visitors set the client address in front of them.
    TRUST_PROXY: phase === 4 ? '2' : '1',
    ...(shedding === false && { LOAD_SHEDDING: 'false' }),
    ...(cache === false && { CATALOGUE_CACHE: 'false' }),
    ...database.environment,
    ...(redis && { REDIS_URL: redis.url, REDIS_MIN_REPLICAS: '1' }),
    ...(queue && { ...queue.environment, METRICS_NAMESPACE: 'Shop', METRICS_PERIOD: String(METRICS_PERIOD) }),
  };
}
