import type { Request } from 'express';
import type { Logger } from 'pino';
import type { LoginLimit } from './accounts/login-limit';
import type { CatalogueCache } from './data/catalogue-cache';
import type { Database, Queryable } from './data/db';
import type { Redis } from './data/redis';
import type { Assets } from './http/assets';
import type { FastPath } from './http/fast-path';
import type { Lifecycle } from './http/lifecycle';
import type { ReadYourWrites } from './http/read-your-writes';
import type { Sessions } from './sessions';
import type { Served } from './types';

/** The app's dependencies. The app reads no environment and opens no port. */
export interface AppDeps {
  readonly log: Logger;
  /** The primary: for writes, and for reads that a write depends on. */
  readonly database: Database;
  readonly readYourWrites: ReadYourWrites<Queryable>;
  readonly catalogue: CatalogueCache;
  readonly fastPath: FastPath;
  readonly sessions: Sessions;
  readonly redis?: Redis | undefined;
  readonly assets: Assets;
  readonly lifecycle: Pick<Lifecycle, 'state'>;
  /** Identifies the process in responses. */
  readonly served: Omit<Served, 'cache'>;
  /** Exact number of proxies in front. */
  readonly trustProxy: number;
  readonly viewerProtocol: 'forwarded' | 'https';
  /** Called after an order was committed, when its receipt is due. */
  readonly onOrder: () => void;
}

/** What the routes use. */
export interface Shop extends AppDeps {
  readonly loginLimit: LoginLimit;
  /** Returns where to read the visitor's own data, at least as new as their last write. */
  readonly reader: (request: Request) => Queryable;
}
