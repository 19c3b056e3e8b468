import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { APP_DRAIN, APP_HEADERS_TIMEOUT, APP_KEEP_ALIVE, READINESS_GRACE } from '../../lib/constants';
import { createApp } from '../app';
import type { Config } from '../config';
import { CatalogueCache } from '../data/catalogue-cache';
import { Database, type DatabaseSettings } from '../data/db';
import { Redis } from '../data/redis';
import { Replicas, WRITE_MEMORY } from '../data/replicas';
import { jobBacklog } from '../data/repositories/jobs';
import { SharedCatalogue } from '../data/shared-catalogue';
import { Assets } from '../http/assets';
import { FastPath } from '../http/fast-path';
import { Lifecycle } from '../http/lifecycle';
import { LoadShedding } from '../http/load-shedding';
import { messageClasses } from '../http/message-classes';
import { observe } from '../http/observe';
import { ReadYourWrites } from '../http/read-your-writes';
import { requestLog } from '../http/request-log';
import type { SqsClient } from '../jobs/queue';
import { JobRunner } from '../jobs/runner';
import { openSessions } from '../sessions';
import { Metrics } from './metrics';
import { openPrimary } from './open-primary';
import type { Secrets } from './secrets';
import { logShedRequests, SHEDDING } from './shedding';

/** The first phase with a load balancer in front, which needs time to notice that a server drains. */
const FIRST_BALANCED_PHASE = 3;

/**
 * Grace in milliseconds without a load balancer: for a request that has arrived on an open connection but was not read yet. Closing
 * would cut it off.
 */
const LINGER = 100;

/** One serving process. */
export interface Serving {
  /** Opens the port and returns it. Requests other than health checks get a 503 until `begin()`. */
  listen(): Promise<number>;
  /** Serves, with at most this number of connections to the prepared database. */
  begin(connections: number): void;
  /** Finishes the requests and the job in progress, then closes everything. Safe to call twice. */
  stop(): Promise<void>;
}

export interface ServingOptions {
  readonly config: Config;
  readonly secrets: Secrets;
  /** Queue for background jobs. Without it, this process does them. */
  readonly queue?: SqsClient | undefined;
  readonly publicDir: string;
  readonly version: string;
  readonly log: Logger;
}

export function createServing({ config, secrets, queue, publicDir, version, log }: ServingOptions): Serving {
  const lifecycle = new Lifecycle();
  const onIdleError = (error: Error) => log.warn({ err: error }, 'an idle connection broke');
  // Migrations and replicas bypass a proxy: it would cut off long statements, and has no replicas.
  const database = openPrimary(config, secrets.database, onIdleError);
  const replica = (settings: DatabaseSettings) => new Database(settings, onIdleError, 'replica');
  const replicas = new Replicas(
    database,
    secrets.replicas.map((settings, index) => ({
      database: replica(settings),
      probe: replica(settings),
      name: `replica ${index + 1}`,
    })),
    log,
  );
  const redis = secrets.redis && new Redis(secrets.redis, (error) => log.warn({ err: error }, 'Redis is down'));
  const sessions = openSessions(config.sessionStore, {
    secret: secrets.sessionSecret,
    database,
    redis,
    onError: (...details) => log.warn({ details }, 'session store'),
  });
  const jobs = new JobRunner(database, log, queue);
  const assets = new Assets(publicDir, config.assetsUrl);
  const catalogue = new CatalogueCache(
    replicas.seeing(undefined),
    assets.ofProduct,
    redis && new SharedCatalogue(redis.cache, `catalogue:${version}`),
    config.catalogueCache,
  );
  const fastPath = new FastPath(() => {
    catalogue.counters.near += 1;
  });
  const app = createApp({
    log,
    database,
    readYourWrites: new ReadYourWrites(replicas, secrets.sessionSecret, WRITE_MEMORY),
    sessions,
    redis,
    assets,
    catalogue,
    fastPath,
    lifecycle,
    served: {
      server: config.serverName,
      az: config.availabilityZone,
      phase: config.phase,
      sessionStore: config.sessionStore,
      pid: process.pid,
      version,
    },
    trustProxy: config.trustProxy,
    viewerProtocol: config.viewerProtocol,
    onOrder: () => jobs.nudge(),
  });

  const shedding = new LoadShedding(SHEDDING);
  const stopShedLog = logShedRequests(log, shedding);
  const metrics =
    config.metricsNamespace === undefined
      ? undefined
      : new Metrics(
          config.metricsNamespace,
          config.metricsPeriod,
          {
            totals: () => ({
              Shed: shedding.counters.shed,
              CacheNear: catalogue.counters.near,
              CacheShared: catalogue.counters.shared,
              CacheDatabase: catalogue.counters.database,
              PrimaryStatements: database.counters.statements,
              ReplicaStatements: replicas.statements,
              ReplicaFallbacks: replicas.counters.fallbacks,
            }),
            backlog: () => jobBacklog(database),
          },
          log,
        );
  const observers = [
    ...(log.isLevelEnabled('info')
      ? [requestLog(log, { trustProxy: config.trustProxy, isOmitted: (response) => shedding.isRefusal(response) })]
      : []),
    ...(metrics ? [metrics.count] : []),
  ];
  // The fast path comes first: sending its bytes costs no more than refusing the request.
  const handle = fastPath.before(config.loadShedding ? shedding.guard(app) : app);
  const server = createServer(
    { ...messageClasses(app), keepAliveTimeout: APP_KEEP_ALIVE * 1000, headersTimeout: APP_HEADERS_TIMEOUT * 1000 },
    observe(lifecycle.track(handle), observers),
  );

  const closeAll = async () => {
    const grace = config.phase >= FIRST_BALANCED_PHASE ? READINESS_GRACE * 1000 : LINGER;
    await lifecycle.drain(server, { grace, limit: APP_DRAIN * 1000 });
    await jobs.stop();
    await metrics?.stop();
    stopShedLog();
    queue?.close();
    sessions.close();
    redis?.close();
    await replicas.stop();
    await database.close();
  };
  let stopped: Promise<void> | undefined;

  return {
    async listen() {
      server.listen(config.port, config.host);
      await once(server, 'listening');
      await redis?.settled();
      return (server.address() as AddressInfo).port;
    },
    begin(connections) {
      if (lifecycle.state !== 'starting') return;
      database.resize(connections);
      replicas.start(connections);
      jobs.start();
      metrics?.start();
      lifecycle.state = 'ready';
    },
    stop() {
      stopped ??= closeAll();
      return stopped;
    },
  };
}
