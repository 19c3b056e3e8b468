/**
 * Every figure that the cloud side (constructs) and the app must agree on. Both import this file and nothing else of
 * each other, so a timeout cannot be changed on one side only. A copied tier brings this file along.
 *
 * All times are in seconds.
 */

/** Major version of PostgreSQL everywhere: on the box, in RDS and in the rehearsal. */
export const POSTGRES_MAJOR = 17;

/** Major version of Node.js on the servers (Amazon Linux 2023 packages it as `nodejs24`). */
export const NODE_MAJOR = 24;

/** TCP port that the app listens on behind a balancer or a TLS terminator. */
export const APP_PORT = 8080;

/**
 * Idle connections: the balancer must give up first, or it sends a request down a connection that the app is just
 * closing, and answers 502 for it. Hence `EDGE_KEEP_ALIVE < ALB_IDLE < APP_KEEP_ALIVE <
 * APP_HEADERS_TIMEOUT`, from CloudFront inwards.
 *
 * @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html#connection-idle-timeout
 * @see https://github.com/nodejs/node/issues/27363
 */
export const EDGE_KEEP_ALIVE = 55;
export const ALB_IDLE = 60;
export const APP_KEEP_ALIVE = 65;
export const APP_HEADERS_TIMEOUT = 70;

/**
 * How long a server goes on answering after it said 503 on `/readyz`: the balancer must have seen it before the listener
 * closes. Health checks run every `HEALTH_INTERVAL` and need `HEALTH_UNHEALTHY_COUNT` failures.
 */
export const HEALTH_PATH = '/readyz';
export const HEALTH_INTERVAL = 5;
export const HEALTH_TIMEOUT = 4;
export const HEALTH_UNHEALTHY_COUNT = 2;
export const HEALTH_HEALTHY_COUNT = 2;
export const READINESS_GRACE = HEALTH_INTERVAL * HEALTH_UNHEALTHY_COUNT + 2;

/** How long requests in flight may take to end once the listener is closed; then the process exits all the same. */
export const APP_DRAIN = 20;

/** When systemd kills an app that has not ended by itself. A test holds the app's unit file to it. */
export const APP_STOP_TIMEOUT = 45;

/**
 * How a server leaves a fleet. The balancer first stops sending it requests and waits for those in flight; after that the
 * termination hook holds the machine until the app has stopped; then EC2 ends it. All of it must fit into the two minutes'
 * notice of a spot instance, with some seconds to spare: Auto Scaling does not learn of the notice at once.
 *
 * @see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html
 */
export const DEREGISTRATION_DELAY = 30;
export const TERMINATION_HOOK = 60;
export const LIFECYCLE_POLL = 5;
export const SPOT_NOTICE = 120;

/**
 * A fleet may have this much more than its size for a while, in percent, when it replaces servers. Pools of connections are
 * sized for that.
 */
export const FLEET_SURGE = 20;

/** Share of the database's connections that the app's pools may fill together; the rest is for people and jobs. */
export const CONNECTION_SHARE = 0.8;

/**
 * The app's own metrics in CloudWatch and their units: what it publishes, and all that dashboards can draw of it. They have no
 * dimensions: each combination is paid for, and a fleet's servers come and go.
 *
 * - `Requests`, `Errors5xx`, `Shed`: take the Sum; a request that is shed is in no other metric
 * - `Latency`: p50, p99; the distribution is sent, not an average
 * - `EventLoopUtilization`: Average, Maximum
 * - `SessionRequests`, `SessionsStarted`: Sum
 * - `CacheNear`, `CacheShared`, `CacheDatabase`: Sum; where answers of the catalogue came from
 * - `PrimaryStatements`, `ReplicaStatements`: Sum
 * - `ReplicaFallbacks`: Sum; reads that the primary answered because no replica could: each was behind the visitor's own
 *   write, left out, or failed
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
