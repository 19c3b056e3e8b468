import { performance } from 'node:perf_hooks';
import type { MetricDatum } from '@aws-sdk/client-cloudwatch';
import type { Logger } from 'pino';
import { APP_METRICS, type AppMetric } from '../../lib/constants';
import type { Exchange } from '../http/observe';
import { SESSION_COOKIE } from '../sessions';

/** Timeout of a request to CloudWatch in milliseconds. */
const PUBLISH_TIMEOUT = 5_000;

/** Maximum number of different values of one metric in a request to CloudWatch. */
const MAX_VALUES = 150;

const HEALTH_CHECK = /^\/(healthz|readyz)$/;

const CARRIES_SESSION = new RegExp(`(^|; )${SESSION_COOKIE}=`);

type Counted = 'Shed' | `Cache${string}` | `${string}Statements` | 'ReplicaFallbacks';

/** Counters elsewhere in the process, since its start. */
export type Totals = Readonly<Record<Extract<AppMetric, Counted>, number>>;

/** Waiting background jobs, and the age of the oldest in seconds. */
export interface Backlog {
  readonly jobs: number;
  readonly oldestSeconds: number;
}

export interface MetricsSources {
  readonly totals: () => Totals;
  readonly backlog: () => Promise<Backlog>;
}

/**
 * Publishes {@link APP_METRICS} of this process to CloudWatch, with one request per period and outside the request path: requests
 * only increment numbers in memory. While CloudWatch does not respond, the metrics of a period are lost and nothing else.
 */
export class Metrics {
  #counts = fresh();
  #latencies = new Map<number, number>();
  #totals: Totals;
  #loop = performance.eventLoopUtilization();
  #timer: NodeJS.Timeout | undefined;
  #publishing: Promise<void> = Promise.resolve();

  constructor(
    private readonly namespace: string,
    private readonly periodSeconds: number,
    private readonly sources: MetricsSources,
    private readonly log: Logger,
  ) {
    this.#totals = sources.totals();
  }

  /** Counts a request, unless it is a health check. */
  readonly count = ({ request, response, url, ms }: Exchange): void => {
    if (HEALTH_CHECK.test(url)) return;
    this.#counts.Requests += 1;
    if (response.statusCode >= 500) this.#counts.Errors5xx += 1;
    const { cookie } = request.headers;
    if (cookie !== undefined && CARRIES_SESSION.test(cookie)) this.#counts.SessionRequests += 1;
    if (startsSession(response.getHeader('set-cookie'))) this.#counts.SessionsStarted += 1;
    const bin = binOf(ms);
    this.#latencies.set(bin, (this.#latencies.get(bin) ?? 0) + 1);
  };

  start(): void {
    // Random, so that the processes of a fleet do not publish at the same time.
    this.#schedule(this.periodSeconds * 1000 * Math.random());
  }

  /** Publishes the rest. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#publishing;
    await this.#publish();
  }

  #schedule(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#schedule(this.periodSeconds * 1000);
      this.#publishing = this.#publish();
    }, ms).unref();
  }

  async #publish(): Promise<void> {
    try {
      const MetricData = this.#take();
      const backlog = await this.sources.backlog().catch(() => undefined);
      if (backlog) {
        MetricData.push(datum('JobsWaiting', backlog.jobs), datum('OldestJobAge', backlog.oldestSeconds));
      }
      // On first use, because a server without metrics does not need it.
      const { CloudWatchClient, PutMetricDataCommand } = await import('@aws-sdk/client-cloudwatch');
      const client = new CloudWatchClient({ maxAttempts: 2 });
      const abortSignal = AbortSignal.timeout(PUBLISH_TIMEOUT);
      const Timestamp = new Date();
      const dated = MetricData.map((datum) => ({ ...datum, Timestamp }));
      await client.send(new PutMetricDataCommand({ Namespace: this.namespace, MetricData: dated }), { abortSignal });
      client.destroy();
    } catch (error) {
      this.log.warn({ err: error }, 'metrics could not be published');
    }
  }

  /** Returns the metrics since the last call. */
  #take(): MetricDatum[] {
    const counts = this.#counts;
    const latencies = [...this.#latencies];
    const before = this.#totals;
    const totals = this.sources.totals();
    const { utilization } = performance.eventLoopUtilization(this.#loop);
    this.#counts = fresh();
    this.#latencies = new Map();
    this.#totals = totals;
    this.#loop = performance.eventLoopUtilization();
    return [
      ...namesOf(counts).map((name) => datum(name, counts[name])),
      ...namesOf(totals).map((name) => datum(name, totals[name] - before[name])),
      datum('EventLoopUtilization', utilization * 100),
      ...(latencies.length > 0 ? [distribution(latencies)] : []),
    ];
  }
}

function namesOf<T extends object>(counters: T): (keyof T & AppMetric)[] {
  return Object.keys(counters) as (keyof T & AppMetric)[];
}

function datum(MetricName: AppMetric, Value: number): MetricDatum {
  return { MetricName, Unit: APP_METRICS[MetricName], Value };
}

function fresh() {
  return { Requests: 0, Errors5xx: 0, SessionRequests: 0, SessionsStarted: 0 };
}

function distribution(latencies: readonly (readonly [number, number])[]): MetricDatum {
  return {
    MetricName: 'Latency' satisfies AppMetric,
    Unit: APP_METRICS.Latency,
    Values: latencies.map(([bin]) => middleOf(bin)),
    Counts: latencies.map(([, count]) => count),
  };
}

/** Each bin is 10% wider than the one before, from 0.1 ms on. {@link MAX_VALUES} of them reach beyond two minutes. */
const WIDTH = 1.1;
const SMALLEST = 0.1;

function binOf(ms: number): number {
  return Math.min(MAX_VALUES - 1, Math.max(0, Math.round(Math.log(ms / SMALLEST) / Math.log(WIDTH))));
}

function middleOf(bin: number): number {
  return Number((SMALLEST * WIDTH ** bin).toPrecision(4));
}

function startsSession(setCookie: number | string | string[] | undefined): boolean {
  return [setCookie ?? []].flat().some((line) => String(line).startsWith(`${SESSION_COOKIE}=`));
}
