import type { IEdgeParts } from './edge-parts';
import type { BoxSizeName } from './sizes';

/** What every phase takes. */
export interface ShopProps {
  /** Folder with the built app: `server.js`, `migrations/`, `public/`, `host/`. */
  readonly appBundle: string;

  /**
   * Step of the vertical ladder.
   *
   * @default 'launch'
   */
  readonly size?: BoxSizeName;

  /**
   * Name of the site, for HTTPS. Comes together with `hostedZoneId`.
   *
   * @default - plain HTTP on the IP address
   */
  readonly domainName?: string;

  /**
   * Id of the public Route 53 zone that `domainName` belongs to.
   *
   * @default - none
   */
  readonly hostedZoneId?: string;

  /**
   * Who is told of alarms.
   *
   * @default - nobody
   */
  readonly alarmEmail?: string;

  /**
   * What the account may cost a month, in USD. Needs `alarmEmail`.
   *
   * @default - no budget
   */
  readonly monthlyBudget?: number;
}

/** What phase 3 takes besides. Its `size` is that of each server. */
export interface FarmProps extends ShopProps {
  /**
   * Identical servers, 2 to 100. A change adds or ends servers, and touches no other.
   *
   * @default 5
   */
  readonly servers?: number;

  /**
   * Read replicas of the database, 0 to 15. A change replaces the servers one by one, since they are told the names.
   *
   * @default 2
   */
  readonly replicas?: number;

  /**
   * NAT gateways: 1, or 3 for one in each zone. One saves two thirds (about 66 USD a month, us-east-1, 2026), and new
   * servers cannot start in any zone while its zone is down.
   *
   * @default 3
   */
  readonly natGateways?: 1 | 3;

  /**
   * 7 balances requests, 4 balances connections and has no HTTPS.
   *
   * @default 7
   */
  readonly layer?: 4 | 7;

  /**
   * How layer 7 chooses a server.
   *
   * @default 'least-outstanding-requests'
   */
  readonly algorithm?: 'round-robin' | 'least-outstanding-requests';

  /**
   * Whether a visitor stays on one server. The shop does not need it.
   *
   * @default false
   */
  readonly sticky?: boolean;
}

/** What phase 4 takes besides what every phase does. */
export interface ElasticProps extends ShopProps {
  /**
   * Fewest servers, and those that a new fleet begins with: 2 to 100.
   *
   * @default 2
   */
  readonly minServers?: number;

  /**
   * Most servers: above `minServers`, up to 500.
   *
   * @default 20
   */
  readonly maxServers?: number;

  /**
   * Most workers for background jobs.
   *
   * @default 10
   */
  readonly maxWorkers?: number;

  /**
   * Whether servers beyond the first two, and workers, are spot instances: up to 90% cheaper, and taken back with two
   * minutes of notice.
   *
   * @default true
   */
  readonly spot?: boolean;

  /**
   * Whether the forecast of predictive scaling is acted on.
   *
   * @default 'ForecastOnly'
   */
  readonly predictive?: 'ForecastOnly' | 'ForecastAndScale';

  /**
   * IANA time zone of the schedule that raises the minimum by two servers from 7:00 to 23:00.
   *
   * @default 'Etc/UTC'
   */
  readonly timeZone?: string;

  /**
   * Read replicas of the database, 0 to 15.
   *
   * @default 2
   */
  readonly replicas?: number;

  /**
   * NAT gateways: 1, or 3 for one in each zone.
   *
   * @default 3
   */
  readonly natGateways?: 1 | 3;

  /**
   * Web ACL and certificate for CloudFront, from a stack in us-east-1.
   *
   * @default - made here, which only a stack in us-east-1 can
   */
  readonly edgeParts?: IEdgeParts;
}
