/**
 * Values that the constructs and the app must agree on. Both import this file and nothing else from each other, so a
 * timeout cannot change on one side only. A copied tier may need this file as well.
 *
 * Times are in seconds.
 */

/** Major version of PostgreSQL on the instance of phase 1, in RDS and in rehearsals. */
export const POSTGRES_MAJOR = 17;

/** Major version of Node.js on the servers (Amazon Linux 2023 packages it as `nodejs24`). */
export const NODE_MAJOR = 24;

/** TCP port that the app listens on behind a load balancer or a TLS terminator. */
export const APP_PORT = 8080;

/**
 * Idle timeouts of keep-alive connections. Each client must time out before its server: otherwise it reuses a connection
 * that the server is closing, and the load balancer returns 502. Hence `EDGE_KEEP_ALIVE < ALB_IDLE < APP_KEEP_ALIVE <
 * APP_HEADERS_TIMEOUT`.
 *
 * @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html#connection-idle-timeout
 * @see https://github.com/nodejs/node/issues/27363
 */
export const EDGE_KEEP_ALIVE = 55;
export const ALB_IDLE = 60;
export const APP_KEEP_ALIVE = 65;
export const APP_HEADERS_TIMEOUT = 70;

/**
 * How long CloudFront may serve a stale response while the app is down: the app's `stale-if-error`, and the maximum TTL of the
 * cache policies. CloudFront applies the lesser.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html#stale-content
 */
export const EDGE_STALE = 600;

/**
 * Health checks of the load balancer. A server that is shutting down returns 503 on `HEALTH_PATH` and keeps serving for
 * `READINESS_GRACE`, so that the load balancer marks it unhealthy before its listener closes.
 */
export const HEALTH_PATH = '/readyz';
export const HEALTH_INTERVAL = 5;
export const HEALTH_TIMEOUT = 4;
export const HEALTH_UNHEALTHY_COUNT = 2;
export const HEALTH_HEALTHY_COUNT = 2;
export const READINESS_GRACE = HEALTH_INTERVAL * HEALTH_UNHEALTHY_COUNT + 2;

/** Drain timeout: how long in-flight requests may run after the listener has closed. The process then exits regardless. */
export const APP_DRAIN = 20;

/** `TimeoutStopSec` of the app's systemd unit: when systemd kills an app that is still running. A test checks the unit file. */
export const APP_STOP_TIMEOUT = 45;

/**
 * Termination of a fleet's server: deregistration delay, then the termination lifecycle hook until the app has stopped,
 * then EC2 terminates the instance. The sum must fit into the two-minute spot interruption notice with a few seconds to
 * spare, because Auto Scaling receives the notice with a delay.
 *
 * @see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html
 */
export const DEREGISTRATION_DELAY = 30;
export const TERMINATION_HOOK = 60;
export const LIFECYCLE_POLL = 5;
export const SPOT_NOTICE = 120;

/**
 * How far a fleet may temporarily exceed its size while it replaces servers, in percent. Connection pools are sized for it.
 */
export const FLEET_SURGE = 20;

/** Share of the database's connections that all of the app's pools may use. The rest is reserved for operators and jobs. */
export const CONNECTION_SHARE = 0.8;

/**
 * Default `max_connections` of RDS for PostgreSQL: bytes of memory / `RDS_BYTES_PER_CONNECTION`, at most
 * `RDS_MAX_CONNECTIONS`.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html#RDS_Limits.MaxConnections
 */
export const RDS_BYTES_PER_CONNECTION = 9_531_392;
export const RDS_MAX_CONNECTIONS = 5000;

/**
 * Custom metrics that the app publishes to CloudWatch, with their units. They have no dimensions: CloudWatch bills each
 * combination as a metric, and the servers of a fleet change all the time.
 *
 * - `Requests`, `Errors5xx`, `Shed`: Sum; a shed request counts in no other metric
 * - `Latency`: p50, p99; published as a distribution
 * - `EventLoopUtilization`: Average, Maximum
 * - `SessionRequests`, `SessionsStarted`: Sum
 * - `CacheNear`, `CacheShared`, `CacheDatabase`: Sum; catalog reads by source: in-process cache, shared cache, database
 * - `PrimaryStatements`, `ReplicaStatements`: Sum
 * - `ReplicaFallbacks`: Sum; reads sent to the primary because every replica was behind the user's last write, excluded for
 *   its lag, or failing
 * - `JobsWaiting`, `OldestJobAge`: Maximum
 */
export const APP_METRICS = {
  Requests: 'Count',
  Errors5xx: 'Count',
  Shed: 'Count',
  Latency: 'Milliseconds',
  EventLoopUtilization: 'Percent',
  SessionRequests: 'Count',
  SessionsStarted: 'Count',
  CacheNear: 'Count',
  CacheShared: 'Count',
  CacheDatabase: 'Count',
  PrimaryStatements: 'Count',
  ReplicaStatements: 'Count',
  ReplicaFallbacks: 'Count',
  JobsWaiting: 'Count',
  OldestJobAge: 'Seconds',
} as const;

export type AppMetric = keyof typeof APP_METRICS;
