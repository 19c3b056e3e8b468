import { performance } from 'node:perf_hooks';
import type { MetricDatum } from '@aws-sdk/client-cloudwatch';
import type { Logger } from 'pino';
import { APP_METRICS, type AppMetric } from '../../lib/constants';
import type { App } from '../http/fastify';
import { SESSION_COOKIE } from '../sessions';

/** Milliseconds that CloudWatch may take to accept metrics. */
const PUBLISH_TIMEOUT = 5_000;

/** Different values of one metric that CloudWatch takes at once. */
const MAX_VALUES = 150;

type Counted = 'Shed' | `Cache${string}` | `${string}Statements` | 'ReplicaFallbacks';

/** What the process counts elsewhere, since it started. */
export type Totals = Readonly<Record<Extract<AppMetric, Counted>, number>>;

/** How many background jobs wait, and for how many seconds the oldest has. */
export interface Backlog {
  readonly jobs: number;
  readonly oldestSeconds: number;
}

export interface MetricsSources {
  readonly totals: () => Totals;
  readonly backlog: () => Promise<Backlog>;
}

/**
 * Publishes what this process does to CloudWatch, in one request every period and never while a visitor waits: requests only
 * add to numbers in memory. When CloudWatch does not answer, a period's figures are lost and nothing else.
 * What they are is in {@link APP_METRICS}.
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

  /** Counts the app's requests. */
  watch(app: App): void {
    const carriesSession = new RegExp(`(^|; )${SESSION_COOKIE}=`);
    app.addHook('onResponse', async (request, reply) => {
      if (/^\/(healthz|readyz)$/.test(request.url)) return;
      this.#counts.Requests += 1;
      if (reply.statusCode >= 500) this.#counts.Errors5xx += 1;
      const { cookie } = request.headers;
      if (cookie !== undefined && carriesSession.test(cookie)) this.#counts.SessionRequests += 1;
      if (startsSession(reply.getHeader('set-cookie'))) this.#counts.SessionsStarted += 1;
      const bin = binOf(reply.elapsedTime);
      this.#latencies.set(bin, (this.#latencies.get(bin) ?? 0) + 1);
    });
  }

  start(): void {
    // At random, so that the processes of a fleet do not all call in the same moment.
    this.#schedule(this.periodSeconds * 1000 * Math.random());
  }

  /** Publishes what is left. */
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
      // A server without metrics never loads it.
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

  /** What happened since the last time. */
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

/** Bins are a tenth wide from 0.1 ms on, so that {@link MAX_VALUES} of them reach beyond two minutes. */
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
