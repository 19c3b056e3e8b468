import { HOURS_PER_MONTH } from '../prices/table';

const SECONDS_PER_MONTH = HOURS_PER_MONTH * 3600;
const GIB = 2 ** 30;

/** The traffic of a shop, from which all that is billed by use is reckoned. */
export interface ExpectedTraffic {
  /** Requests/s of visitors at the peak, static files among them. */
  readonly rps: number;
  /** The peak over the mean of a month. */
  readonly peakToAverage: number;
  /** Bytes of a mean answer. */
  readonly responseBytes: number;
  /** Share of requests that an edge cache answers by itself. */
  readonly edgeHitRatio: number;
  /** Share of requests that write. */
  readonly writeRatio: number;
  /** GiB that the database holds. */
  readonly dataGib: number;
}

/** What each input is when it is not given, and why. All are assumptions: a shop's own figures are better. */
export const TRAFFIC_DEFAULTS = {
  peakToAverage: { value: 3, why: 'a day with an evening peak and quiet nights' },
  responseBytes: { value: 4096, why: 'pages, pictures and API answers of this shop are 0.3 to 12 KB' },
  edgeHitRatio: { value: 0.8, why: 'the low end of "caches answer 80-95% of reads"' },
  writeRatio: {
    value: 0.05,
    why: '"80-95% of database operations are reads": a shop is browsed more than bought from',
  },
  dataGib: { value: 20, why: 'a small shop with some years of orders' },
} as const satisfies Readonly<Record<Exclude<keyof ExpectedTraffic, 'rps'>, { value: number; why: string }>>;

/** Bytes of a mean request with its headers. */
export const REQUEST_BYTES = 700;

/** Requests that one connection of a visitor carries before it idles out. */
const REQUESTS_PER_CONNECTION = 10;

/** Seconds that a connection stays open: the balancer's idle time-out. */
const CONNECTION_SECONDS = 60;

/** Writes that leave a background job behind: the orders among them. */
export const JOBS_PER_WRITE = 0.1;

/** Calls to SQS for a job: send, receive, delete. */
const CALLS_PER_JOB = 3;

/** Bytes that a server logs for a mean request; this shop logs failures only. */
const LOG_BYTES_PER_REQUEST = 50;

/** Bytes of flow log for a connection: a record each way. */
const FLOW_LOG_BYTES_PER_CONNECTION = 250;

/** Bytes between a server and the data tier for a mean request that an edge did not answer: session, cached page, rows. */
export const DATA_TIER_BYTES_PER_REQUEST = 6000;

/** What a month of the traffic adds up to. */
export interface Usage {
  readonly traffic: ExpectedTraffic;
  /** Visitors' requests. */
  readonly requests: number;
  /** Requests that reach the servers; all of them where there is no edge. */
  readonly originRequests: number;
  /** GiB of answers to visitors. */
  readonly egressGib: number;
  /** Load balancer capacity units (ALB) in use, on average over the month. */
  readonly albUnits: number;
  /** The same for a network load balancer. */
  readonly nlbUnits: number;
  readonly queueCalls: number;
  /** GiB that servers log. */
  readonly logGib: number;
  readonly flowLogGib: number;
  /** GiB between servers and data tier, both ways. */
  readonly dataTierGib: number;
  readonly dataGib: number;
}

/**
 * @param hasEdge whether an edge cache stands in front
 * @param listenerRules rules of the balancer's listeners besides the default ones
 */
export function usageOf(traffic: ExpectedTraffic, hasEdge: boolean, listenerRules: number): Usage {
  const requests = (traffic.rps / traffic.peakToAverage) * SECONDS_PER_MONTH;
  const originRequests = hasEdge ? requests * (1 - traffic.edgeHitRatio) : requests;
  const connections = originRequests / REQUESTS_PER_CONNECTION;
  const originGib = (originRequests * (REQUEST_BYTES + traffic.responseBytes)) / GIB;
  const load: BalancerLoad = {
    newConnections: connections / SECONDS_PER_MONTH,
    // Little's law: those that are open are those that come, times how long they stay.
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

/** Rules of a listener that are looked at without charge. */
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

/** The same for TCP through a network load balancer, which looks at no rules. */
export function nlbUnits(load: BalancerLoad): number {
  return Math.max(load.newConnections / 800, load.activeConnections / 100_000, load.gibPerHour);
}

/** All that a run assumed, in words. */
export function assumptions(traffic: ExpectedTraffic): string[] {
  const given = Object.entries(TRAFFIC_DEFAULTS).map(([name, { value, why }]) => {
    const used = traffic[name as keyof ExpectedTraffic];
    return `${name} ${used}${used === value ? ` (default: ${why})` : ''}`;
  });
  return [
    ...given,
    `${REQUEST_BYTES} bytes a request, ${REQUESTS_PER_CONNECTION} requests a connection, open for ${CONNECTION_SECONDS} s`,
    `${JOBS_PER_WRITE} jobs a write with ${CALLS_PER_JOB} calls to the queue each`,
    `${LOG_BYTES_PER_REQUEST} bytes logged a request, ${FLOW_LOG_BYTES_PER_CONNECTION} bytes of flow log a connection`,
    `${DATA_TIER_BYTES_PER_REQUEST} bytes between server and data tier a request`,
    'no free tier, no savings plan, no tax',
  ];
}
