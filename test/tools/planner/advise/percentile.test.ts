import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { advise } from '../../../../tools/planner/advise/advice';
import { readMetrics } from '../../../../tools/planner/advise/cloudwatch';
import { QUIET_SDK } from '../../../../tools/support/aws-environment';

const DAY = 86_400;
const window = { start: 0, end: 14 * DAY, period: DAY };
const own = { ...process.env };
let server: Server;

interface MetricRequest {
  readonly MetricDataQueries: readonly {
    readonly Id: string;
    readonly MetricStat: { readonly Stat: string; readonly Metric: { readonly MetricName: string } };
  }[];
}

// moto does not support percentiles, so a stub serves the metrics.
beforeAll(async () => {
  server = createServer(async (request, response) => {
    const { MetricDataQueries } = (await json(request)) as MetricRequest;
    // A low mean and a high p99.
    const value = (stat: string) => ({ Average: 0.05, p99: 0.9 })[stat];
    const MetricDataResults = MetricDataQueries.filter(
      ({ MetricStat }) => MetricStat.Metric.MetricName === 'TargetResponseTime',
    ).map(({ Id, MetricStat }) => ({ Id, Timestamps: [13 * DAY], Values: [value(MetricStat.Stat)] }));
    response.setHeader('content-type', 'application/x-amz-json-1.0');
    response.end(JSON.stringify({ MetricDataResults }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  Object.assign(process.env, QUIET_SDK, {
    AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  });
});

afterAll(() => {
  process.env = own;
  server?.closeAllConnections();
  server?.close();
});

test('checks the objective against the p99 response time', async () => {
  const balancer = {
    tier: 'balancer' as const,
    name: 'LoadBalancer',
    dimensions: { LoadBalancer: 'app/shop/1' },
    spec: { latencySeconds: 0.5 },
  };
  const { symptoms } = advise(await readMetrics([balancer], window, 'us-east-1'), 3, window);
  expect(symptoms).toMatchObject([{ limit: { id: 'balancer.latency' }, peak: 0.9, threshold: 0.5 }]);
});
