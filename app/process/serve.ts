import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { APP_DRAIN, READINESS_GRACE } from '../../lib/constants';
import { createApp } from '../app';
import type { Config } from '../config';
import { CatalogueCache } from '../data/catalogue-cache';
import { Database, type DatabaseSettings } from '../data/db';
import { Redis } from '../data/redis';
import { Replicas } from '../data/replicas';
import { jobBacklog } from '../data/repositories/jobs';
import { SharedCatalogue } from '../data/shared-catalogue';
import { Assets } from '../http/assets';
import type { Lifecycle } from '../http/lifecycle';
import { LoadShedding } from '../http/load-shedding';
import { ReadYourWrites } from '../http/read-your-writes';
import type { SqsClient } from '../jobs/queue';
import { JobRunner } from '../jobs/runner';
import { openSessions } from '../sessions';
import { Metrics } from './metrics';
import { openPrimary } from './open-primary';
import type { Secrets } from './secrets';

/** The first phase with a balancer in front, which needs time to see that a server leaves. */
const FIRST_BALANCED_PHASE = 3;

/**
 * Without a balancer nobody asks for readiness. A moment is still given, for a request that has arrived on an open connection
 * but was not read yet: closing would cut it off. In milliseconds.
 */
const LINGER = 100;

/** One serving process. */
export interface Serving {
  /** Opens the port; everything but health checks is answered 503 until `begin()`. Returns the port. */
  listen(): Promise<number>;
  /** Serves, with at most that many connections to a database that is prepared. */
  begin(connections: number): void;
  /** Lets requests and the job in hand end, then closes everything. Safe to call twice. */
  stop(): Promise<void>;
}

export interface ServingOptions {
  readonly config: Config;
  readonly secrets: Secrets;
  /** Where background jobs go; without it they are done here. */
  readonly queue?: SqsClient | undefined;
  readonly publicDir: string;
  readonly version: string;
  readonly log: Logger;
}

export function createServing({ config, secrets, queue, publicDir, version, log }: ServingOptions): Serving {
  const lifecycle: Lifecycle = { state: 'starting' };
  const onIdleError = (error: Error) => log.warn({ err: error }, 'an idle connection broke');
  // Migrations and replicas go straight to the database; a proxy would cut long statements off, and has no replicas.
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
  const redis = secrets.redis && new Redis(secrets.redis, (error) => log.warn({ err: error }, 'Redis is away'));
  const sessions = openSessions(config.sessionStore, {
    secret: secrets.sessionSecret,
    database,
    redis,
    onError: (...what) => log.warn({ what }, 'session store'),
  });
  const jobs = new JobRunner(database, log, queue);
  const assets = new Assets(publicDir, config.assetsUrl);
  const catalogue = new CatalogueCache(
    replicas.seeing(undefined),
    assets.ofProduct,
    redis && new SharedCatalogue(redis.cache, `catalogue:${version}`),
    config.catalogueCache,
  );
  const app = createApp({
    log,
    database,
    replicas,
    readYourWrites: new ReadYourWrites(secrets.sessionSecret),
    sessions,
    redis,
    assets,
    catalogue,
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

  const shedding = new LoadShedding();
  if (config.loadShedding) shedding.guard(app.server);
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
  metrics?.watch(app);

  const closeAll = async () => {
    lifecycle.state = 'draining';
    await sleep(config.phase >= FIRST_BALANCED_PHASE ? READINESS_GRACE * 1000 : LINGER);
    const cutOff = setTimeout(() => app.server.closeAllConnections(), APP_DRAIN * 1000);
    await app.close();
    clearTimeout(cutOff);
    await jobs.stop();
    await metrics?.stop();
    queue?.close();
    sessions.close();
    redis?.close();
    await replicas.stop();
    await database.close();
  };
  let stopped: Promise<void> | undefined;

  return {
    async listen() {
      await app.ready();
      // app.listen() would log a line for each address of this machine.
      app.server.listen(config.port, config.host);
      await once(app.server, 'listening');
      await redis?.settled();
      return (app.server.address() as AddressInfo).port;
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
