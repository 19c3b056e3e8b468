import type { IEdgeParts } from './edge-parts';
import type { BoxSizeName } from './sizes';

/** Props of every phase. */
export interface ShopProps {
  /** Folder with the built app: `server.js`, `migrations/`, `public/`, `host/`. */
  readonly appBundle: string;

  /**
   * Size of the instance in phases 1 and 2, and of each server in phase 3.
   *
   * @default 'launch'
   */
  readonly size?: BoxSizeName;

  /**
   * Domain name of the site, for HTTPS. Requires `hostedZoneId`.
   *
   * @default - plain HTTP on the IP address or the load balancer's name
   */
  readonly domainName?: string;

  /**
   * ID of the public Route 53 hosted zone of `domainName`.
   *
   * @default - none
   */
  readonly hostedZoneId?: string;

  /**
   * Email address that receives alarms.
   *
   * @default - alarms change state without a notification
   */
  readonly alarmEmail?: string;

  /**
   * Budget of the account per month, in USD. Requires `alarmEmail`.
   *
   * @default - no budget
   */
  readonly monthlyBudget?: number;
}

/** Props of phase 3. */
export interface FarmProps extends ShopProps {
  /**
   * Number of identical servers: 2 to 100. A change adds or terminates servers and leaves the others alone.
   *
   * @default 5
   */
  readonly servers?: number;

  /**
   * Number of read replicas: 0 to 15. A change replaces the servers one by one, because their settings hold the host names.
   *
   * @default 2
   */
  readonly replicas?: number;

  /**
   * Number of NAT gateways: 1, or 3 for one in each zone. One saves two thirds (about 66 USD a month, us-east-1, 2026), but no
   * server can start in any zone while the gateway's zone is down.
   *
   * @default 3
   */
  readonly natGateways?: 1 | 3;

  /**
   * OSI layer of the load balancer: 7 balances requests, 4 balances connections and has no HTTPS.
   *
   * @default 7
   */
  readonly layer?: 4 | 7;

  /**
   * Routing algorithm of the target group on layer 7.
   *
   * @default 'least-outstanding-requests'
   */
  readonly algorithm?: 'round-robin' | 'least-outstanding-requests';

  /**
   * Whether sessions stick to one server. The shop does not need it.
   *
   * @default false
   */
  readonly sticky?: boolean;
}

/** Props of phase 4. */
export interface ElasticProps extends ShopProps {
  /**
   * Minimum number of servers, and the initial number of a new fleet: 2 to 100.
   *
   * @default 2
   */
  readonly minServers?: number;

  /**
   * Maximum number of servers: above `minServers`, up to 500.
   *
   * @default 20
   */
  readonly maxServers?: number;

  /**
   * Maximum number of workers for background jobs: 2 to 100.
   *
   * @default 10
   */
  readonly maxWorkers?: number;

  /**
   * Whether workers, and servers beyond the first two, are Spot Instances: up to 90% cheaper, and interrupted with two minutes of
   * notice.
   *
   * @default true
   */
  readonly spot?: boolean;

  /**
   * Mode of predictive scaling.
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
   * Number of read replicas: 0 to 15.
   *
   * @default 2
   */
  readonly replicas?: number;

  /**
   * Number of NAT gateways: 1, or 3 for one in each zone.
   *
   * @default 3
   */
  readonly natGateways?: 1 | 3;

  /**
   * Web ACL and certificate for CloudFront, from a stack in us-east-1.
   *
   * @default - created in this stack, which must then be in us-east-1
   */
  readonly edgeParts?: IEdgeParts;
}
