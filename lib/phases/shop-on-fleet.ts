import { FLEET_SURGE, NODE_MAJOR, POSTGRES_MAJOR } from '../constants';
import type { Fleet, FleetProps } from '../tiers/fleet';
import type { ShopProps } from './shop-props';

/** Namespace of the shop's own metrics in CloudWatch. */
export const METRICS_NAMESPACE = 'Shop';

/** What `app/host/configure.sh` hands on to the app of a fleet. */
export interface ShopOnFleetSettings {
  readonly PHASE: string;
  readonly SESSION_SECRET_ARN: string;
  readonly DATABASE_SECRET_ARN: string;
  /** Hosts of read replicas, separated by commas. */
  readonly DATABASE_REPLICA_HOSTS?: string;
  readonly REDIS_URL: string;
  readonly REDIS_SECRET_ARN: string;
  /** Proxies in front that add themselves to `X-Forwarded-For`. */
  readonly TRUST_PROXY: string;
  /** Connection pooler in front of the database that the secret names. */
  readonly DATABASE_PROXY_HOST?: string;
  /** `https` where an edge lets visitors in by that only. */
  readonly VIEWER_PROTOCOL?: 'https';
  readonly QUEUE_URL?: string;
  /** Bucket that a release puts its static files into before it serves. */
  readonly ASSETS_BUCKET?: string;
  readonly ASSETS_URL?: string;
  /** Script of the bundle that runs; `server.js` when unset. */
  readonly SCRIPT?: 'worker.js';
}

/**
 * The part of a fleet's props that makes it run the shop.
 *
 * @param servers servers that share the database at most, all fleets together
 */
export function shopOnFleet(
  props: ShopProps,
  servers: number,
  settings: ShopOnFleetSettings,
): Pick<FleetProps, 'appName' | 'bundle' | 'setupScript' | 'environment' | 'metricsNamespace'> {
  const given = Object.entries(settings).filter(([, value]) => value !== undefined && value !== '');
  return {
    appName: 'shop',
    bundle: props.appBundle,
    setupScript: 'host/configure.sh',
    environment: {
      ...Object.fromEntries(given),
      SESSION_STORE: 'redis',
      // A session counts as saved once a replica has it as well.
      REDIS_MIN_REPLICAS: '1',
      MAX_SERVERS: String(Math.ceil((servers * (100 + FLEET_SURGE)) / 100)),
      METRICS_NAMESPACE,
      NODE_MAJOR: String(NODE_MAJOR),
      POSTGRES_MAJOR: String(POSTGRES_MAJOR),
    },
    metricsNamespace: METRICS_NAMESPACE,
  };
}

/** The command that opens a shell on one of the servers. */
export function openSession(fleet: Fleet): string {
  const first = `--query 'AutoScalingGroups[0].Instances[0].InstanceId' --output text`;
  return `aws ssm start-session --target $(aws autoscaling describe-auto-scaling-groups --auto-scaling-group-names ${fleet.group.ref} ${first})`;
}
