import { Duration } from 'aws-cdk-lib';
import { GraphWidget, type IWidget, MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { AppMetric } from '../constants';

/**
 * The app's rows of a dashboard: what it publishes of itself. They show the wall behind a tier's figures: a busy event loop
 * wants more servers, a falling hit ratio a look at the cache, reads that fall back to the primary a look at the replicas.
 * They have no alarms of their own: what visitors suffer shows at the load balancer.
 *
 * @param namespace that the app publishes in
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
        title: 'App: event loop in use (%)',
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
        title: 'App: requests; errors and shed',
        left: [sum('Requests')],
        right: [sum('Errors5xx'), sum('Shed')],
      }),
      new GraphWidget({
        ...ROW,
        title: 'App: requests with a session; sessions begun',
        left: [sum('SessionRequests')],
        right: [sum('SessionsStarted')],
      }),
    ],
    [
      new GraphWidget({
        ...ROW,
        title: 'Catalogue: answers from a cache (%)',
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
        title: 'Catalogue: answers by process, cache, database',
        left: [sum('CacheNear'), sum('CacheShared'), sum('CacheDatabase')],
        stacked: true,
      }),
      new GraphWidget({
        ...ROW,
        title: 'Statements on replicas (%); reads back to the primary',
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
        title: 'Jobs not done: number; age of the oldest (s)',
        left: [metric('JobsWaiting', 'Maximum')],
        right: [metric('OldestJobAge', 'Maximum')],
      }),
    ],
  ];
}

const ROW = { width: 6, height: 6 };
const PERCENT = { min: 0, max: 100 };
