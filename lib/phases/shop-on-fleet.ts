import { FLEET_SURGE, NODE_MAJOR, POSTGRES_MAJOR } from '../constants';
import type { Database } from '../tiers/database';
import type { DatabaseProxy } from '../tiers/database-proxy';
import type { FleetProps } from '../tiers/fleet';
import type { JobQueue } from '../tiers/job-queue';
import type { ReadReplicas } from '../tiers/read-replicas';
import type { SessionCache } from '../tiers/session-cache';
import type { SessionSecret } from '../tiers/session-secret';

/** Namespace of the shop's own metrics in CloudWatch. */
export const METRICS_NAMESPACE = 'Shop';

/** Settings of each connection of RDS Proxy; the app cannot send them itself (see `DatabaseProxy`). */
export const SQL_TIMEOUTS = { statement_timeout: '5s', idle_in_transaction_session_timeout: '5s' };

/** Paths that the edge may cache. */
export const CACHEABLE_PATHS = { cachedPaths: ['/', '/products/*'], cachedPathsIgnoringCookies: ['/api/products*'] };

/** Tiers that the shop on a fleet connects to. */
export interface ShopTiers {
  readonly sessionSecret: SessionSecret;
  readonly database: Database;
  readonly databaseProxy?: DatabaseProxy;
  readonly readReplicas: ReadReplicas;
  readonly sessionCache: SessionCache;
  readonly jobs?: JobQueue;
}

/** Settings of the shop that do not follow from its tiers, as `app/host/configure.sh` takes them. */
export interface ShopOnFleetSettings {
  readonly PHASE: string;
  /** Number of proxies in front that append to `X-Forwarded-For`. */
  readonly TRUST_PROXY: string;
  /** `https` where the edge accepts visitors over HTTPS only. */
  readonly VIEWER_PROTOCOL?: 'https';
  /** Bucket that a release uploads its static files to before it serves. */
  readonly ASSETS_BUCKET?: string;
  readonly ASSETS_URL?: string;
  /** Script of the bundle to run; `server.js` when unset. */
  readonly SCRIPT?: 'worker.js';
}

export interface ShopOnFleetProps {
  /** Folder with the built app. */
  readonly appBundle: string;
  /** Maximum number of servers in all fleets that share the database. */
  readonly maxServers: number;
  readonly settings: ShopOnFleetSettings;
}

/** The props of a fleet that make it run the shop and connect it to the tiers of its phase. */
export function shopOnFleet(
  { sessionSecret, database, databaseProxy, readReplicas, sessionCache, jobs }: ShopTiers,
  { appBundle, maxServers, settings }: ShopOnFleetProps,
): Pick<FleetProps, 'appName' | 'bundle' | 'setupScript' | 'environment' | 'secrets' | 'metricsNamespace'> {
  const { PHASE, ...rest } = settings;
  const environment = {
    PHASE,
    SESSION_SECRET_ARN: sessionSecret.secret.secretArn,
    DATABASE_SECRET_ARN: database.secret.secretArn,
    DATABASE_PROXY_HOST: databaseProxy?.host,
    DATABASE_REPLICA_HOSTS: readReplicas.hosts.join(','),
    REDIS_URL: sessionCache.url,
    REDIS_SECRET_ARN: sessionCache.secret.secretArn,
    QUEUE_URL: jobs?.queue.queueUrl,
    ...rest,
    SESSION_STORE: 'redis',
    // A session counts as saved once a replica has it as well.
    REDIS_MIN_REPLICAS: '1',
    MAX_SERVERS: String(Math.ceil((maxServers * (100 + FLEET_SURGE)) / 100)),
    METRICS_NAMESPACE,
    NODE_MAJOR: String(NODE_MAJOR),
    POSTGRES_MAJOR: String(POSTGRES_MAJOR),
  };
  return {
    appName: 'shop',
    bundle: appBundle,
    setupScript: 'host/configure.sh',
    environment: withoutEmpty(environment),
    secrets: [sessionSecret.secret, database.secret, sessionCache.secret],
    metricsNamespace: METRICS_NAMESPACE,
  };
}

function withoutEmpty(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== ''),
  );
}
