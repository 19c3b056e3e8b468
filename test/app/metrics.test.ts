import { CloudWatch } from '@aws-sdk/client-cloudwatch';
import { APP_METRICS } from '../../lib/constants';
import { type Moto, startMoto } from '../../tools/emulator/moto';
import { describeWith } from '../support/needs';
import { eventually, makeUsers, TestBed } from '../support/shop';

const NAMESPACE = 'Shop/Test';

let testBed: TestBed;

beforeAll(async () => {
  testBed = await TestBed.open();
});

afterAll(() => testBed?.close());

const awsAt = (endpoint: string) => ({
  AWS_ENDPOINT_URL: endpoint,
  AWS_REGION: 'eu-west-1',
  AWS_ACCESS_KEY_ID: 'x',
  AWS_SECRET_ACCESS_KEY: 'x',
  METRICS_NAMESPACE: NAMESPACE,
  METRICS_PERIOD: '1',
});

describeWith('moto server', 'with CloudWatch', () => {
  let moto: Moto;
  let cloudWatch: CloudWatch;

  beforeAll(async () => {
    moto = await startMoto();
    const credentials = { accessKeyId: 'x', secretAccessKey: 'x' };
    cloudWatch = new CloudWatch({ endpoint: moto.endpoint, region: 'eu-west-1', credentials });
  });

  afterAll(async () => {
    cloudWatch?.destroy();
    await moto?.stop();
  });

  /** Returns a statistic of a metric over the whole test. */
  async function statistic(MetricName: string, Stat: string): Promise<number | undefined> {
    const MetricStat = { Metric: { Namespace: NAMESPACE, MetricName }, Period: 86_400, Stat };
    const { MetricDataResults } = await cloudWatch.getMetricData({
      StartTime: new Date(Date.now() - 3_600_000),
      EndTime: new Date(Date.now() + 60_000),
      MetricDataQueries: [{ Id: 'm', MetricStat }],
    });
    return MetricDataResults?.[0]?.Values?.[0];
  }

  test('metrics of requests, errors, latency, sessions, cache, database and jobs are published', async () => {
    const database = await testBed.database();
    const shop = await testBed.serve(database, { ...awsAt(moto.endpoint), WEB_CONCURRENCY: '2' });
    const [email] = await makeUsers(database, 1);
    const visitor = shop.visitor();
    for (let count = 0; count < 20; count += 1) await visitor.get('/api/products');
    for (let count = 0; count < 5; count += 1) await visitor.get('/healthz');
    await visitor.logIn(email as string);
    await visitor.add(1);
    await visitor.get('/cart');
    // The last period is published on shutdown.
    await shop.process.stop();
    expect(await statistic('Requests', 'Sum')).toBe(23);
    expect(await statistic('Latency', 'SampleCount')).toBe(23);
    expect(await statistic('Latency', 'Maximum')).toBeGreaterThan(0.1);
    expect(await statistic('Latency', 'Maximum')).toBeLessThan(60_000);
    expect(await statistic('Errors5xx', 'Sum')).toBe(0);
    expect(await statistic('SessionsStarted', 'Sum')).toBe(1);
    expect(await statistic('SessionRequests', 'Sum')).toBe(2);
    expect((await statistic('CacheNear', 'Sum')) as number).toBeGreaterThan(10);
    expect(
      ((await statistic('CacheNear', 'Sum')) as number) + ((await statistic('CacheDatabase', 'Sum')) as number),
    ).toBe(20);
    expect(await statistic('PrimaryStatements', 'Sum')).toBeGreaterThan(5);
    expect(await statistic('ReplicaStatements', 'Sum')).toBe(0);
    expect(await statistic('ReplicaFallbacks', 'Sum')).toBe(0);
    expect(await statistic('Shed', 'Sum')).toBe(0);
    expect(await statistic('EventLoopUtilization', 'Maximum')).toBeGreaterThan(0);
    expect(await statistic('EventLoopUtilization', 'Maximum')).toBeLessThanOrEqual(100);
    expect(await statistic('JobsWaiting', 'Maximum')).toBe(0);
    expect(await statistic('OldestJobAge', 'Maximum')).toBe(0);
    const { Metrics = [] } = await cloudWatch.listMetrics({ Namespace: NAMESPACE });
    expect(new Set(Metrics.map(({ MetricName }) => MetricName))).toEqual(new Set(Object.keys(APP_METRICS)));
  });
});

test('no request fails, and shutdown stays fast, while CloudWatch does not respond', async () => {
  const shop = await testBed.serve(await testBed.database(), awsAt('http://127.0.0.1:9'));
  const visitor = shop.visitor();
  await eventually(async () => {
    expect((await visitor.get('/api/products')).status).toBe(200);
    return shop.log().includes('metrics could not be published');
  });
  await shop.process.stop();
  expect(await shop.exited).toBe(0);
});

test('no metrics are published without a namespace', async () => {
  const env = { ...awsAt('http://127.0.0.1:9'), METRICS_NAMESPACE: '' };
  const shop = await testBed.serve(await testBed.database(), env);
  expect((await shop.visitor().get('/api/products')).status).toBe(200);
  await shop.process.stop();
  expect(shop.log()).not.toContain('metrics');
});
