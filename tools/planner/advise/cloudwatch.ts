import { CloudWatchClient, type MetricDataQuery, paginateGetMetricData } from '@aws-sdk/client-cloudwatch';
import type { Point, Watched, Window } from './advice';
import { type Limit, limits } from './limits';
import type { Resource } from './stack';

/** Limit of queries per GetMetricData call. */
const MAX_QUERIES = 500;

interface MetricRequest {
  readonly limit: Limit;
  readonly resource: Resource;
  readonly metric: Limit['metric'];
  readonly isThreshold: boolean;
}

/** Reads the metrics of all limits at all matching resources. */
export async function readMetrics(
  resources: readonly Resource[],
  window: Window,
  region: string | undefined,
): Promise<Watched[]> {
  const wanted = resources.flatMap((resource) =>
    limits
      .filter(({ tier }) => tier === resource.tier)
      .flatMap((limit): MetricRequest[] => [
        { limit, resource, metric: limit.metric, isThreshold: false },
        ...(limit.limitMetric ? [{ limit, resource, metric: limit.limitMetric, isThreshold: true }] : []),
      ]),
  );
  const series = new Map<MetricRequest, readonly Point[]>();
  for (const where of new Set(wanted.map(({ resource }) => resource.region ?? region))) {
    const inRegion = wanted.filter(({ resource }) => (resource.region ?? region) === where);
    for (const [one, points] of await seriesIn(where, inRegion, window)) series.set(one, points);
  }
  return wanted
    .filter(({ isThreshold }) => !isThreshold)
    .map((one) => {
      const threshold = wanted.find(
        (other) => other.isThreshold && other.limit === one.limit && other.resource === one.resource,
      );
      return {
        limit: one.limit,
        resource: one.resource.name,
        spec: one.resource.spec,
        points: series.get(one) ?? [],
        limitPoints: threshold && series.get(threshold),
      };
    });
}

async function seriesIn(region: string | undefined, wanted: readonly MetricRequest[], window: Window) {
  const client = new CloudWatchClient({ region });
  const series = new Map<MetricRequest, readonly Point[]>();
  try {
    for (let i = 0; i < wanted.length; i += MAX_QUERIES) {
      const some = wanted.slice(i, i + MAX_QUERIES);
      const points = await getPoints(client, some, window);
      some.forEach((one, index) => {
        series.set(one, points.get(`m${index}`) ?? []);
      });
    }
  } finally {
    client.destroy();
  }
  return series;
}

async function getPoints(client: CloudWatchClient, wanted: readonly MetricRequest[], window: Window) {
  const input = {
    StartTime: new Date(window.start * 1000),
    EndTime: new Date(window.end * 1000),
    ScanBy: 'TimestampAscending' as const,
    MetricDataQueries: wanted.map((one, index) => queryOf(one, `m${index}`, window.period)),
  };
  const found = new Map<string, Point[]>();
  for await (const { MetricDataResults = [] } of paginateGetMetricData({ client }, input)) {
    for (const { Id = '', Timestamps = [], Values = [] } of MetricDataResults) {
      const points = found.get(Id) ?? [];
      Timestamps.forEach((time, i) => {
        points.push({ at: time.getTime() / 1000, value: Values[i] as number });
      });
      found.set(Id, points);
    }
  }
  return found;
}

function queryOf({ resource, metric }: MetricRequest, Id: string, Period: number): MetricDataQuery {
  const dimensions = resource.dimensionsOf?.[metric.name] ?? resource.dimensions;
  const Dimensions = Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));
  return {
    Id,
    MetricStat: {
      Metric: { Namespace: metric.namespace, MetricName: metric.name, Dimensions },
      Period,
      Stat: metric.stat,
    },
  };
}
