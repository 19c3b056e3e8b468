import { CloudFormation } from '@aws-sdk/client-cloudformation';
import { CloudWatch, type PutMetricDataCommandInput } from '@aws-sdk/client-cloudwatch';
import { type Moto, startMoto } from '../../../../tools/emulator/moto';
import { advise } from '../../../../tools/planner/advise/advice';
import { readMetrics } from '../../../../tools/planner/advise/cloudwatch';
import { limits } from '../../../../tools/planner/advise/limits';
import { type Resource, readStack } from '../../../../tools/planner/advise/stack';
import { type AdviseOptions, adviseCommand } from '../../../../tools/planner/commands/advise-command';
import { readPriceTable } from '../../../../tools/planner/prices/table';
import { emulatorEnv } from '../../../../tools/support/aws-environment';
import { UsageError } from '../../../../tools/support/usage-error';
import { describeWith } from '../../../support/needs';
import { stackOf } from './stack';

const DAY = 86_400;
/** Few data points, because the emulator compares every pair of them. */
const PERIOD = DAY / 2;
const DAYS = 14;

type Phase = 1 | 2 | 3 | 4;
/** Values of metrics by limit id; a function gets the day and the half of the day. `null` publishes nothing. */
type Levels = Readonly<Record<string, number | ((day: number, half: number) => number) | null>>;

/** A daily load cycle, far from any limit. */
const QUIET: Levels = {
  'box.cpu': (_, half) => 20 + 30 * half,
  'box.memory': 50,
  'box.disk': 30,
  'servers.cpu': (_, half) => 30 + 15 * half,
  'servers.memory': 55,
  'servers.size': (_, half) => 3 + 3 * half,
  'servers.size.limit': 20,
  'balancer.unhealthy': 0,
  'database.cpu': (_, half) => 15 + 15 * half,
  'database.connections': (day, half) => 120 + 60 * half + ((day * 7) % 5),
  'database.memory': 5 * 1024 ** 3,
  'database.read-latency': 0.002,
  'database.disk-queue': 1,
  'replicas.cpu': 25,
  'cache.engine': 10,
  'cache.cpu': 10,
  'cache.memory': 40,
  'cache.lag': 0,
};

describeWith('moto server', 'advise on published metrics', () => {
  let moto: Moto;
  let cloudWatch: CloudWatch;
  const resources = new Map<Phase, readonly Resource[]>();
  const inherited = { ...process.env };
  const printed = jest.spyOn(console, 'log').mockImplementation();

  beforeAll(async () => {
    moto = await startMoto();
    Object.assign(process.env, emulatorEnv(moto.endpoint));
    // moto decompresses long requests twice.
    cloudWatch = new CloudWatch({ disableRequestCompression: true });
    const cloudFormation = new CloudFormation({});
    for (const phase of [1, 2, 3, 4] as const) {
      await cloudFormation.createStack({ StackName: `shop-${phase}`, TemplateBody: stackOf(phase) });
      resources.set(phase, (await readStack(`shop-${phase}`, undefined, readPriceTable('us-east-1'))).resources);
    }
    const queue = JSON.stringify({ Resources: { Jobs: { Type: 'AWS::SQS::Queue' } } });
    await cloudFormation.createStack({ StackName: 'other', TemplateBody: queue });
    cloudFormation.destroy();
  });

  afterAll(async () => {
    cloudWatch?.destroy();
    await moto?.stop();
    for (const name of Object.keys(process.env)) if (!(name in inherited)) delete process.env[name];
    Object.assign(process.env, inherited);
    printed.mockRestore();
  });

  let windows = 0;

  /** Publishes into a separate window, and returns its end. */
  async function publish(phase: Phase, levels: Levels): Promise<string> {
    windows += 1;
    const end = Math.floor(Date.now() / 1000 / DAY) * DAY - windows * 30 * DAY;
    const puts: PutMetricDataCommandInput[] = [];
    for (const { tier, dimensions, dimensionsOf } of resources.get(phase) ?? []) {
      for (const limit of limits.filter((one) => one.tier === tier)) {
        for (const [metric, level] of [
          [limit.metric, levels[limit.id]],
          [limit.limitMetric, levels[`${limit.id}.limit`]],
        ] as const) {
          if (!metric || level === undefined || level === null) continue;
          const all = Object.entries(dimensionsOf?.[metric.name] ?? dimensions);
          puts.push({
            Namespace: metric.namespace,
            MetricData: Array.from({ length: DAYS * 2 }, (_, i) => ({
              MetricName: metric.name,
              Dimensions: all.map(([Name, Value]) => ({ Name, Value })),
              Timestamp: new Date((end - DAYS * DAY + i * PERIOD + 60) * 1000),
              Value: typeof level === 'number' ? level : level(Math.floor(i / 2), i % 2),
            })),
          });
        }
      }
    }
    await Promise.all(puts.map((put) => cloudWatch.putMetricData(put)));
    return new Date(end * 1000).toISOString();
  }

  async function ask(phase: Phase, until: string, more: Partial<AdviseOptions> = {}): Promise<string> {
    printed.mockClear();
    await adviseCommand({ stack: `shop-${phase}`, days: DAYS, until, period: PERIOD, json: true, ...more });
    return printed.mock.calls.join('\n');
  }

  async function situation(phase: Phase, levels: Levels) {
    return JSON.parse(await ask(phase, await publish(phase, { ...QUIET, ...levels })));
  }

  test.each<[string, Phase, Levels, string, string, number | undefined]>([
    ['a busy instance', 1, { 'box.cpu': 91 }, 'act', 'box.cpu', 2],
    ['a filling data volume', 1, { 'box.disk': (day) => 50 + 1.8 * day }, 'prepare', 'box.disk', undefined],
    ['an instance with increasing CPU', 2, { 'box.cpu': (day) => 40 + 2 * day }, 'prepare', 'box.cpu', 3],
    ['a busy database without replicas', 2, { 'database.cpu': 95 }, 'act', 'database.cpu', 3],
    ['busy servers', 3, { 'servers.cpu': 86 }, 'act', 'servers.cpu', 4],
    [
      'exhausted connections, and servers that wait for them',
      3,
      { 'database.connections': 850, 'servers.cpu': 86 },
      'act',
      'database.connections',
      4,
    ],
    ['a cache without free memory', 3, { 'cache.memory': 93 }, 'act', 'cache.memory', undefined],
    ['a busy replica', 3, { 'replicas.cpu': 94 }, 'act', 'replicas.cpu', undefined],
    ['a fleet at its maximum size', 4, { 'servers.size': 20 }, 'act', 'servers.size', undefined],
    [
      'a fleet that approaches its maximum size',
      4,
      { 'servers.size': (day) => 5 + day },
      'prepare',
      'servers.size',
      undefined,
    ],
    ['a busy writer', 4, { 'database.cpu': 93, 'servers.size': 12 }, 'act', 'database.cpu', 5],
    ['a volume with a low burst balance', 1, { 'volume.burst': 12 }, 'act', 'volume.burst', undefined],
    ['late jobs', 4, { 'queue.age': 2000 }, 'act', 'queue.age', undefined],
  ])('%s (phase %i)', async (_, phase, levels, verdict, wall, removedBy) => {
    const advice = await situation(phase, levels);
    expect({ verdict: advice.verdict, wall: advice.wall?.wall }).toEqual({ verdict, wall });
    expect(advice.wall.remedy.phase).toBe(removedBy);
  });

  test.each<Phase>([1, 2, 3, 4])('the verdict in phase %i without any limit is to stay', async (phase) => {
    const advice = await situation(phase, {});
    expect(advice).toMatchObject({ verdict: 'stay', wall: null, symptoms: [], unknown: [] });
  });

  test('days that alternate are no trend', async () => {
    const advice = await situation(3, { 'servers.cpu': (day) => 55 + ((day * 37) % 11) });
    expect(advice.verdict).toBe('stay');
    const cpu = advice.findings.find(({ wall }: { wall: string }) => wall === 'servers.cpu');
    expect(cpu).toMatchObject({ state: 'fine', significant: false, fullOn: null });
  });

  test('forecasts the date when the line reaches the limit, between its bounds', async () => {
    // 66% on the last of 14 days, 2 more each day, limit 80%: 8 days.
    const advice = await situation(2, { 'box.cpu': (day) => 40 + 2 * day + (day % 2 === 0 ? 0.5 : -0.5) });
    const days = (date: string) => Math.round((Date.parse(date) - Date.parse(advice.window.end)) / 1000 / DAY);
    const { expected, earliest, latest } = advice.wall.fullOn;
    expect(days(expected)).toBeGreaterThanOrEqual(7);
    expect(days(expected)).toBeLessThanOrEqual(8);
    expect(days(earliest)).toBeLessThanOrEqual(days(expected));
    expect(days(latest)).toBeGreaterThanOrEqual(days(expected));
    expect(advice.wall.slopeADay).toBeCloseTo(2, 1);
  });

  test('reports errors, which are no reason for another phase', async () => {
    const until = await publish(3, { ...QUIET, 'balancer.app-errors': 40 });
    expect(JSON.parse(await ask(3, until))).toMatchObject({
      verdict: 'stay',
      symptoms: [{ wall: 'balancer.app-errors', lastDay: 40 }],
    });
    const text = await ask(3, until, { json: false });
    expect(text).toContain('Stay: no limit is reached, and no trend leads to one.');
    expect(text).toContain('5xx of the app (LoadBalancer): peak 40; runbook: App 5xx errors');
  });

  test('reports missing data, and qualifies the verdict', async () => {
    const until = await publish(3, { ...QUIET, 'database.cpu': null, 'cache.memory': null });
    const { verdict, unknown } = JSON.parse(await ask(3, until));
    expect(verdict).toBe('stay');
    expect(unknown).toEqual([
      expect.stringMatching(/^CPU of the database \(shop-3-.*\): no data$/),
      expect.stringMatching(/^memory of a cache node \(.*-001\): no data$/),
      expect.stringMatching(/^memory of a cache node \(.*-002\): no data$/),
    ]);
    expect(await ask(3, until, { json: false })).toContain('Stay (some limits are unknown): no limit is reached');
  });

  test('reads CloudFront metrics in us-east-1, and tolerates unpublished ones', async () => {
    const distribution: Resource = {
      tier: 'edge',
      name: 'Edge',
      dimensions: { DistributionId: 'E1', Region: 'Global' },
      spec: {},
      region: 'us-east-1',
    };
    const until = await publish(1, QUIET);
    const end = Date.parse(until) / 1000;
    const window = { start: end - DAYS * DAY, end, period: PERIOD };
    const answer = async () => advise(await readMetrics([distribution], window, 'eu-central-1'), 4, window);
    expect((await answer()).notJudged).toEqual([
      expect.stringMatching(/^hit ratio of the edge \(Edge\): not published/),
    ]);
    const Dimensions = Object.entries(distribution.dimensions).map(([Name, Value]) => ({ Name, Value }));
    const Timestamp = new Date((end - PERIOD + 60) * 1000);
    await cloudWatch.putMetricData({
      Namespace: 'AWS/CloudFront',
      MetricData: [{ MetricName: 'CacheHitRate', Dimensions, Timestamp, Value: 60 }],
    });
    const { symptoms, notJudged } = await answer();
    expect({ symptoms, notJudged }).toMatchObject({ symptoms: [{ peak: 60, threshold: 80 }], notJudged: [] });
  });

  test('finds the data volume of a stack', () => {
    const found = (phase: Phase, tier: string) => (resources.get(phase) ?? []).filter((one) => one.tier === tier);
    expect(found(1, 'volume')).toEqual([
      { tier: 'volume', name: 'Data', dimensions: { VolumeId: expect.stringMatching(/^vol-/) }, spec: {} },
    ]);
  });

  test('leaves out workers and the dead-letter queue', () => {
    const names = (tier: string) => (resources.get(4) ?? []).filter((one) => one.tier === tier).map(({ name }) => name);
    expect(names('servers')).toEqual(['Fleet']);
    expect(names('queue')).toEqual(['Jobs']);
  });

  test('gives no advice without data', async () => {
    const text = await ask(2, '2001-01-15T00:00Z', { json: false });
    expect(text).toContain('Unknown: no data. Check that the metrics are published and that the region is correct.');
    expect(JSON.parse(await ask(2, '2001-01-15T00:00Z')).verdict).toBe('unknown');
  });

  test('reports a limit with value, limit and source', async () => {
    const text = await ask(4, await publish(4, { ...QUIET, 'servers.size': 20 }), { json: false });
    expect(text).toContain('Now: desired capacity of the fleet (Fleet) has reached its limit: 20, limit ≥ 20.');
    expect(text).toContain('Stay on this phase: raise the maximum (-c maxServers=)');
    expect(text).toMatch(/CPU of the database +shop-4-\S+ +fine +30% +≥ 90% .*AWS recommended alarms/);
  });

  test('rejects a missing stack, a stack without a phase, and an invalid time', async () => {
    const now = new Date().toISOString();
    await expect(ask(1, now, { stack: 'none' })).rejects.toThrow(
      new UsageError('--stack must be a stack in this account and region, got none.'),
    );
    await expect(ask(1, now, { stack: 'other' })).rejects.toThrow(
      new UsageError('Stack other has no output "Phase": pass --phase (1, 2, 3, 4 or 5).'),
    );
    expect(JSON.parse(await ask(1, now, { stack: 'other', phase: 4 }))).toMatchObject({ phase: 4, verdict: 'unknown' });
    await expect(ask(1, 'yesterday')).rejects.toThrow(
      new UsageError('--until must be a time such as 2026-11-27T12:00Z, got yesterday.'),
    );
  });
});
