import type { Allowance, Manifest } from './gate';

const BOX: Allowance = {
  fate: 'removed',
  policy: 'Delete',
  reason:
    'its data is in RDS, and it is terminated once the servers are in service (docs/decisions/033-remove-the-instance-in-phase-3.md)',
};
const VOLUME: Allowance = {
  fate: 'removed',
  policy: 'RetainExceptOnCreate',
  reason: 'data of phase 1, until it is deleted manually',
};
const ACCESS_LOGS: Allowance = {
  fate: 'removed',
  policy: 'RetainExceptOnCreate',
  reason: 'access logs of a removed load balancer; no longer written',
};
const FLEET_LOG: Allowance = {
  fate: 'removed',
  policy: 'RetainExceptOnCreate',
  reason: 'log of removed servers; no longer written',
};
const CACHE: Allowance = {
  fate: 'removed',
  policy: 'Snapshot',
  reason: 'sessions and cached data only; all users have to log in again',
};
const CACHE_SECRET: Allowance = {
  fate: 'removed',
  policy: 'RetainExceptOnCreate',
  reason: 'password of the removed cache',
};
const QUEUE: Allowance = {
  fate: 'removed',
  policy: 'RetainExceptOnCreate',
  reason: 'contains job ids only; the jobs are in the database (docs/decisions/025-queue-fed-by-the-outbox.md)',
};
const EDGE_LOGS: Allowance = { ...ACCESS_LOGS, reason: 'access logs of the removed edge; no longer written' };
const ASSETS: Allowance = {
  fate: 'removed',
  policy: 'RetainExceptOnCreate',
  reason: 'copies of the static files in each release',
};
const DATABASE: Allowance = {
  fate: 'removed',
  policy: 'RetainExceptOnCreate',
  reason: 'its data is moved back to the instance first, which the instance setup enforces; protected and retained',
};
const DATABASE_SECRET: Allowance = { ...DATABASE, reason: 'password of the retained database' };

const box = { ShopBoxInstance233E2A2B: BOX, ShopBoxDataVolumeCCC70169: VOLUME };
const cache = { ShopSessionCacheGroup1F21F751: CACHE, ShopSessionCacheSecret5BBD5D1E: CACHE_SECRET };
const farm = { ShopLoadBalancerLogs2137A332: ACCESS_LOGS, ShopFleetLog2CB85C64: FLEET_LOG };
const elastic = {
  ShopJobQueueDeadLettersDD68D1BB: QUEUE,
  ShopJobQueueDB22C336: QUEUE,
  ShopInternalLoadBalancerLogsCD6822CD: ACCESS_LOGS,
  ShopEdgeLogsD700D62E: EDGE_LOGS,
  ShopEdgeAssets7E438478: ASSETS,
  ShopElasticFleetLog0E9C4EAA: FLEET_LOG,
  ShopWorkersLogEEB9B0D7: FLEET_LOG,
};
const database = { ShopDatabaseInstanceBB00928E: DATABASE, ShopDatabaseSecret2BA9060A: DATABASE_SECRET };
const LATER_PHASE = 'belongs to the later phase only';
const cacheNames = {
  ShopSessionCacheUser2303279E: LATER_PHASE,
  ShopSessionCacheDefaultUserD41A08BC: LATER_PHASE,
  ShopSessionCacheUserGroup4045E99D: LATER_PHASE,
  ShopRestoreTestingPlanF1F933FA: LATER_PHASE,
  ShopRestoreTestingDatabaseFF4C0694: LATER_PHASE,
};
const proxyName = { ShopDatabaseProxy9EDE1518: LATER_PHASE };
const boxOutput = { InstanceId: 'the instance is terminated; the output OpenSession opens a shell on a server' };

const manifests: Readonly<Record<string, Manifest>> = {
  '2->3': { resources: box, outputs: boxOutput },
  '2->4': { resources: box, outputs: boxOutput },
  '3->4': { resources: farm },
  '4->3': { resources: elastic, names: proxyName },
  '4->2': { resources: { ...elastic, ...cache }, names: { ...proxyName, ...cacheNames } },
  '3->2': { resources: { ...farm, ...cache }, names: cacheNames },
  '2->1': { resources: database, outputs: { DatabaseEndpoint: 'phase 1 has no separate database' } },
};

/** Returns the allowed removals of a step between two phases. The gate is also red if an entry is not needed. */
export function manifestFor(from: number, to: number): Manifest {
  return manifests[`${from}->${to}`] ?? {};
}
