import { CloudWatch } from '@aws-sdk/client-cloudwatch';
import { APP_METRICS } from '../../lib/constants';
import { type Moto, startMoto } from '../../tools/emulator/moto';
import { describeWith } from '../support/needs';
import { Bench, eventually, makeUsers } from '../support/shop';

const NAMESPACE = 'Shop/Test';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.open();
});

afterAll(() => bench?.close());

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

  /** A metric's figure over the whole test. */
  async function figure(MetricName: string, Stat: string): Promise<number | undefined> {
    const MetricStat = { Metric: { Namespace: NAMESPACE, MetricName }, Period: 86_400, Stat };
    const { MetricDataResults } = await cloudWatch.getMetricData({
      StartTime: new Date(Date.now() - 3_600_000),
      EndTime: new Date(Date.now() + 60_000),
      MetricDataQueries: [{ Id: 'm', MetricStat }],
    });
    return MetricDataResults?.[0]?.Values?.[0];
  }

  test('requests, errors, latency, sessions, cache, database and jobs can be read back', async () => {
    const database = await bench.database();
    const shop = await bench.serve(database, { ...awsAt(moto.endpoint), WEB_CONCURRENCY: '2' });
    const [email] = await makeUsers(database, 1);
    const visitor = shop.visitor();
    for (let count = 0; count < 20; count += 1) await visitor.get('/api/products');
    for (let count = 0; count < 5; count += 1) await visitor.get('/healthz');
    await visitor.logIn(email as string);
    await visitor.add(1);
    await visitor.get('/cart');
    // What happened in the last period is published on the way out.
    await shop.process.stop();
    expect(await figure('Requests', 'Sum')).toBe(23);
    expect(await figure('Latency', 'SampleCount')).toBe(23);
    expect(await figure('Latency', 'Maximum')).toBeGreaterThan(0.1);
    expect(await figure('Latency', 'Maximum')).toBeLessThan(60_000);
    expect(await figure('Errors5xx', 'Sum')).toBe(0);
    expect(await figure('SessionsStarted', 'Sum')).toBe(1);
    expect(await figure('SessionRequests', 'Sum')).toBe(2);
    expect((await figure('CacheNear', 'Sum')) as number).toBeGreaterThan(10);
    expect(((await figure('CacheNear', 'Sum')) as number) + ((await figure('CacheDatabase', 'Sum')) as number)).toBe(
      20,
    );
    expect(await figure('PrimaryStatements', 'Sum')).toBeGreaterThan(5);
    expect(await figure('ReplicaStatements', 'Sum')).toBe(0);
    expect(await figure('ReplicaFallbacks', 'Sum')).toBe(0);
    expect(await figure('Shed', 'Sum')).toBe(0);
    expect(await figure('EventLoopUtilization', 'Maximum')).toBeGreaterThan(0);
    expect(await figure('EventLoopUtilization', 'Maximum')).toBeLessThanOrEqual(100);
    expect(await figure('JobsWaiting', 'Maximum')).toBe(0);
    expect(await figure('OldestJobAge', 'Maximum')).toBe(0);
    const { Metrics = [] } = await cloudWatch.listMetrics({ Namespace: NAMESPACE });
    expect(new Set(Metrics.map(({ MetricName }) => MetricName))).toEqual(new Set(Object.keys(APP_METRICS)));
  });
});

test('no request is lost, and no stop held up for long, while CloudWatch does not answer', async () => {
  const shop = await bench.serve(await bench.database(), awsAt('http://127.0.0.1:9'));
  const visitor = shop.visitor();
  await eventually(async () => {
    expect((await visitor.get('/api/products')).status).toBe(200);
    return shop.log().includes('metrics could not be published');
  });
  await shop.process.stop();
  expect(await shop.exited).toBe(0);
});

test('nothing is published without a namespace', async () => {
  const env = { ...awsAt('http://127.0.0.1:9'), METRICS_NAMESPACE: '' };
  const shop = await bench.serve(await bench.database(), env);
  expect((await shop.visitor().get('/api/products')).status).toBe(200);
  await shop.process.stop();
  expect(shop.log()).not.toContain('metrics');
});
