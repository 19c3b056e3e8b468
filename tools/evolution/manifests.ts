import type { Allowance, Manifest } from './gate';

const BOX: Allowance = {
  fate: 'removed',
  policy: 'Delete',
  reason:
    'its data is in RDS by then, and it ends when the servers serve (docs/decisions/033-the-box-leaves-in-phase-3.md)',
};
const VOLUME: Allowance = {
  fate: 'removed',
  policy: 'RetainExceptOnCreate',
  reason: 'the data of phase 1, kept until somebody deletes it',
};
const ACCESS_LOGS: Allowance = {
  fate: 'removed',
  policy: 'RetainExceptOnCreate',
  reason: 'logs of a load balancer that goes; nothing writes to it any more',
};
const FLEET_LOG: Allowance = {
  fate: 'removed',
  policy: 'RetainExceptOnCreate',
  reason: 'log of servers that go; nothing writes to it any more',
};
const CACHE: Allowance = {
  fate: 'removed',
  policy: 'Snapshot',
  reason: 'sessions and copies of what the database has; everybody logs in again',
};
const CACHE_SECRET: Allowance = {
  fate: 'removed',
  policy: 'RetainExceptOnCreate',
  reason: 'of a cache that goes',
};
const QUEUE: Allowance = {
  fate: 'removed',
  policy: 'RetainExceptOnCreate',
  reason: 'carries ids only: the rows of the jobs stay in the database (docs/decisions/025-queue-fed-by-the-outbox.md)',
};
const EDGE_LOGS: Allowance = { ...ACCESS_LOGS, reason: 'logs of an edge that goes; nothing writes to it any more' };
const ASSETS: Allowance = {
  fate: 'removed',
  policy: 'RetainExceptOnCreate',
  reason: 'copies of the static files that each release has with it',
};
const DATABASE: Allowance = {
  fate: 'removed',
  policy: 'RetainExceptOnCreate',
  reason: 'its data is moved back to the box before, or the set-up of the box refuses; protected, and kept',
};
const DATABASE_SECRET: Allowance = { ...DATABASE, reason: 'opens the database that is kept' };

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
const GOES = 'goes with the phase that has it';
const cacheNames = {
  ShopSessionCacheUser2303279E: GOES,
  ShopSessionCacheDefaultUserD41A08BC: GOES,
  ShopSessionCacheUserGroup4045E99D: GOES,
  ShopRestoreTestingPlanF1F933FA: GOES,
  ShopRestoreTestingDatabaseFF4C0694: GOES,
};
const proxyName = { ShopDatabaseProxy9EDE1518: GOES };
const boxOutput = { InstanceId: 'there is no box any more; OpenSession opens a shell on a server' };

const manifests: Readonly<Record<string, Manifest>> = {
  '2->3': { resources: box, outputs: boxOutput },
  '2->4': { resources: box, outputs: boxOutput },
  '3->4': { resources: farm },
  '4->3': { resources: elastic, names: proxyName },
  '4->2': { resources: { ...elastic, ...cache }, names: { ...proxyName, ...cacheNames } },
  '3->2': { resources: { ...farm, ...cache }, names: cacheNames },
  '2->1': { resources: database, outputs: { DatabaseEndpoint: 'there is no database of its own any more' } },
};

/** What may go when the shop steps from one phase to another. An entry that is not needed turns the gate red as well. */
export function manifestFor(from: number, to: number): Manifest {
  return manifests[`${from}->${to}`] ?? {};
}
