import { Duration } from 'aws-cdk-lib';
import { GraphWidget, type IWidget, MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { AppMetric } from '../constants';

/**
 * Dashboard rows with the app's custom metrics. They explain the metrics of a tier: high event-loop utilization calls for
 * servers, a falling hit ratio points to the cache, and fallbacks to the primary point to the replicas. They have no alarms,
 * because the alarms of the load balancer cover user impact.
 *
 * @param namespace CloudWatch namespace of the app's metrics
 */
export function appWidgets(namespace: string): IWidget[][] {
  const metric = (metricName: AppMetric, statistic: string) =>
    new Metric({ namespace, metricName, statistic, period: Duration.minutes(5) });
  const sum = (name: AppMetric) => metric(name, 'Sum');
  const share = (label: string, part: string, whole: string, names: Readonly<Record<string, AppMetric>>) =>
    new MathExpression({
      expression: `100 * (${part}) / (${whole})`,
      usingMetrics: Object.fromEntries(Object.entries(names).map(([id, name]) => [id, sum(name)])),
      label,
    });
  return [
    [
      new GraphWidget({
        ...ROW,
        title: 'App: event-loop utilization (%)',
        left: [metric('EventLoopUtilization', 'Average'), metric('EventLoopUtilization', 'Maximum')],
        leftYAxis: PERCENT,
      }),
      new GraphWidget({
        ...ROW,
        title: 'App: latency (ms)',
        left: [metric('Latency', 'p50'), metric('Latency', 'p99')],
      }),
      new GraphWidget({
        ...ROW,
        title: 'App: requests; errors, shed requests',
        left: [sum('Requests')],
        right: [sum('Errors5xx'), sum('Shed')],
      }),
      new GraphWidget({
        ...ROW,
        title: 'App: requests with a session; sessions started',
        left: [sum('SessionRequests')],
        right: [sum('SessionsStarted')],
      }),
    ],
    [
      new GraphWidget({
        ...ROW,
        title: 'Catalog: cache hit ratio (%)',
        left: [
          share('hit ratio', 'near + shared', 'near + shared + missed', {
            near: 'CacheNear',
            shared: 'CacheShared',
            missed: 'CacheDatabase',
          }),
        ],
        leftYAxis: PERCENT,
      }),
      new GraphWidget({
        ...ROW,
        title: 'Catalog: reads by source (process, cache, database)',
        left: [sum('CacheNear'), sum('CacheShared'), sum('CacheDatabase')],
        stacked: true,
      }),
      new GraphWidget({
        ...ROW,
        title: 'Statements on replicas (%); fallbacks to the primary',
        left: [
          share('on replicas', 'replicas', 'replicas + main', {
            replicas: 'ReplicaStatements',
            main: 'PrimaryStatements',
          }),
        ],
        right: [sum('ReplicaFallbacks')],
        leftYAxis: PERCENT,
      }),
      new GraphWidget({
        ...ROW,
        title: 'Unfinished jobs: count; age of the oldest (s)',
        left: [metric('JobsWaiting', 'Maximum')],
        right: [metric('OldestJobAge', 'Maximum')],
      }),
    ],
  ];
}

const ROW = { width: 6, height: 6 };
const PERCENT = { min: 0, max: 100 };
