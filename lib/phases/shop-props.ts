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
