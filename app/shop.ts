import type { FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { LoginLimit } from './accounts/login-limit';
import type { CatalogueCache } from './data/catalogue-cache';
import type { Database, Queryable } from './data/db';
import type { Redis } from './data/redis';
import type { Replicas } from './data/replicas';
import type { Assets } from './http/assets';
import type { Lifecycle } from './http/lifecycle';
import type { ReadYourWrites } from './http/read-your-writes';
import type { Sessions } from './sessions/sessions';
import type { Served } from './types';

/** All that the shop needs from outside; it reads no environment and opens no port. */
export interface AppDeps {
  readonly log: Logger;
  /** The primary: writes, and reads that a write depends on. */
  readonly database: Database;
  readonly replicas: Replicas;
  readonly readYourWrites: ReadYourWrites;
  readonly catalogue: CatalogueCache;
  readonly sessions: Sessions;
  readonly redis?: Redis | undefined;
  readonly assets: Assets;
  readonly lifecycle: Lifecycle;
  /** What answers say about the process that gave them. */
  readonly served: Omit<Served, 'cache'>;
  /** Proxies in front, exactly. */
  readonly trustProxy: number;
  readonly viewerProtocol: 'forwarded' | 'https';
  /** Called after an order was committed: its receipt waits to be made. */
  readonly onOrder: () => void;
}

/** What routes work with. */
export interface Shop extends AppDeps {
  readonly loginLimit: LoginLimit;
  /** Where to read what belongs to the visitor: as new as their own last write. */
  readonly reader: (request: FastifyRequest) => Queryable;
}
