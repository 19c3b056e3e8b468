import { HOURS_PER_MONTH } from '../prices/table';

const SECONDS_PER_MONTH = HOURS_PER_MONTH * 3600;
const GIB = 2 ** 30;

/** Expected traffic, the basis of all usage charges. */
export interface ExpectedTraffic {
  /** Requests/s at the peak, including static files. */
  readonly rps: number;
  /** Peak divided by the monthly mean. */
  readonly peakToAverage: number;
  /** Mean response size in bytes. */
  readonly responseBytes: number;
  /** Hit ratio of the edge cache, 0 to 1. */
  readonly edgeHitRatio: number;
  /** Share of requests that write, 0 to 1. */
  readonly writeRatio: number;
  /** Size of the data in the database, in GiB. */
  readonly dataGib: number;
}

/** Defaults and their rationale. All are assumptions; pass measured values instead. */
export const TRAFFIC_DEFAULTS = {
  peakToAverage: { value: 3, why: 'an evening peak and quiet nights' },
  responseBytes: { value: 4096, why: 'pages, images and API responses of this shop are 0.3 to 12 KB' },
  edgeHitRatio: { value: 0.8, why: 'low end of the 80-95% that caches reach' },
  writeRatio: {
    value: 0.05,
    why: '80-95% of database operations are reads: visitors browse more than they buy',
  },
  dataGib: { value: 20, why: 'a small shop with several years of orders' },
} as const satisfies Readonly<Record<Exclude<keyof ExpectedTraffic, 'rps'>, { value: number; why: string }>>;

/** Mean request size in bytes, including headers. */
export const REQUEST_BYTES = 700;

/** Requests per client connection before its idle timeout. */
const REQUESTS_PER_CONNECTION = 10;

/** Seconds that a connection stays open: the load balancer's idle timeout. */
const CONNECTION_SECONDS = 60;

/** Background jobs per write, such as those of orders. */
export const JOBS_PER_WRITE = 0.1;

/** SQS API calls per job: send, receive, delete. */
const CALLS_PER_JOB = 3;

/** Logged bytes per request; this shop logs failures only. */
const LOG_BYTES_PER_REQUEST = 50;

/** Flow log bytes per connection: one record per direction. */
const FLOW_LOG_BYTES_PER_CONNECTION = 250;

/** Bytes between server and data tier per origin request: session, cached page, rows. */
export const DATA_TIER_BYTES_PER_REQUEST = 6000;

/** Usage per month. */
export interface Usage {
  readonly traffic: ExpectedTraffic;
  /** Requests from clients. */
  readonly requests: number;
  /** Requests that reach the servers; all requests without an edge. */
  readonly originRequests: number;
  /** GiB of responses. */
  readonly egressGib: number;
  /** Mean load balancer capacity units of an ALB. */
  readonly albUnits: number;
  /** Mean load balancer capacity units of an NLB. */
  readonly nlbUnits: number;
  readonly queueCalls: number;
  /** GiB of server logs. */
  readonly logGib: number;
  readonly flowLogGib: number;
  /** GiB between servers and data tier, both directions. */
  readonly dataTierGib: number;
  readonly dataGib: number;
}

/**
 * @param hasEdge whether there is an edge cache
 * @param listenerRules listener rules of the load balancer, without default actions
 */
export function usageOf(traffic: ExpectedTraffic, hasEdge: boolean, listenerRules: number): Usage {
  const requests = (traffic.rps / traffic.peakToAverage) * SECONDS_PER_MONTH;
  const originRequests = hasEdge ? requests * (1 - traffic.edgeHitRatio) : requests;
  const connections = originRequests / REQUESTS_PER_CONNECTION;
  const originGib = (originRequests * (REQUEST_BYTES + traffic.responseBytes)) / GIB;
  const load: BalancerLoad = {
    newConnections: connections / SECONDS_PER_MONTH,
    // Little's law: open connections = arrival rate x duration.
    activeConnections: (connections / SECONDS_PER_MONTH) * CONNECTION_SECONDS,
    gibPerHour: originGib / HOURS_PER_MONTH,
    ruleEvaluations: (originRequests / SECONDS_PER_MONTH) * Math.max(0, listenerRules - FREE_RULES),
  };
  return {
    traffic,
    requests,
    originRequests,
    egressGib: (requests * traffic.responseBytes) / GIB,
    albUnits: albUnits(load),
    nlbUnits: nlbUnits(load),
    queueCalls: requests * traffic.writeRatio * JOBS_PER_WRITE * CALLS_PER_JOB,
    logGib: (originRequests * LOG_BYTES_PER_REQUEST) / GIB,
    flowLogGib: (connections * FLOW_LOG_BYTES_PER_CONNECTION) / GIB,
    dataTierGib: (originRequests * DATA_TIER_BYTES_PER_REQUEST) / GIB,
    dataGib: traffic.dataGib,
  };
}

/** Rule evaluations per request that are free of charge. */
const FREE_RULES = 10;

export interface BalancerLoad {
  /** Per second. */
  readonly newConnections: number;
  /** Per minute. */
  readonly activeConnections: number;
  readonly gibPerHour: number;
  /** Per second. */
  readonly ruleEvaluations: number;
}

/**
 * Load balancer capacity units: billed is the largest of four dimensions, not their sum.
 *
 * @see https://aws.amazon.com/elasticloadbalancing/pricing/
 */
export function albUnits(load: BalancerLoad): number {
  return Math.max(
    load.newConnections / 25,
    load.activeConnections / 3000,
    load.gibPerHour,
    load.ruleEvaluations / 1000,
  );
}

/** Network load balancer capacity units for TCP; an NLB has no rules. */
export function nlbUnits(load: BalancerLoad): number {
  return Math.max(load.newConnections / 800, load.activeConnections / 100_000, load.gibPerHour);
}

/** Describes the assumptions of a bill. */
export function assumptions(traffic: ExpectedTraffic): string[] {
  const given = Object.entries(TRAFFIC_DEFAULTS).map(([name, { value, why }]) => {
    const used = traffic[name as keyof ExpectedTraffic];
    return `${name} ${used}${used === value ? ` (default: ${why})` : ''}`;
  });
  return [
    ...given,
    `${REQUEST_BYTES} bytes per request, ${REQUESTS_PER_CONNECTION} requests per connection, connections open for ${CONNECTION_SECONDS} s`,
    `${JOBS_PER_WRITE} jobs per write, ${CALLS_PER_JOB} SQS calls per job`,
    `${LOG_BYTES_PER_REQUEST} log bytes per request, ${FLOW_LOG_BYTES_PER_CONNECTION} flow log bytes per connection`,
    `${DATA_TIER_BYTES_PER_REQUEST} bytes between server and data tier per request`,
    'no free tier, no Savings Plans, no tax',
  ];
}
