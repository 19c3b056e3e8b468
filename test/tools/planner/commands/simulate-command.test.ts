import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type SimulateOptions, simulateCommand } from '../../../../tools/planner/commands/simulate-command';
import { UsageError } from '../../../../tools/support/usage-error';

jest.mock('../../../../tools/cloudformation/assembly', () => require('../../../support/shared-synth'));

const dir = mkdtempSync(join(tmpdir(), 'simulate-'));
const file = (name: string) => join(dir, name);
const printed = jest.spyOn(console, 'log').mockImplementation();

afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
  printed.mockRestore();
});

const TRACKING = {
  PolicyType: 'TargetTrackingScaling',
  AutoScalingGroupName: { Ref: 'Fleet' },
  EstimatedInstanceWarmup: 60,
};
const tracking = (PredefinedMetricType: string, TargetValue: number) => ({
  Type: 'AWS::AutoScaling::ScalingPolicy',
  Properties: {
    ...TRACKING,
    TargetTrackingConfiguration: { PredefinedMetricSpecification: { PredefinedMetricType }, TargetValue },
  },
});
/** A template of another project: On-Demand servers of 100 requests/s each. */
const TEMPLATE = {
  Resources: {
    LaunchTemplate: {
      Type: 'AWS::EC2::LaunchTemplate',
      Properties: { LaunchTemplateData: { InstanceType: 'c7g.large', Monitoring: { Enabled: true } } },
    },
    Fleet: {
      Type: 'AWS::AutoScaling::AutoScalingGroup',
      Properties: {
        MinSize: '2',
        MaxSize: '10',
        LaunchTemplate: { LaunchTemplateId: { Ref: 'LaunchTemplate' }, Version: '1' },
      },
    },
    Cpu: tracking('ASGAverageCPUUtilization', 50),
    Requests: tracking('ALBRequestCountPerTarget', 3000),
  },
};
writeFileSync(file('template.json'), JSON.stringify(TEMPLATE));

async function run(options: Partial<SimulateOptions>): Promise<string> {
  printed.mockClear();
  await simulateCommand({
    phase: '4',
    context: [],
    template: file('template.json'),
    traffic: 'steady',
    profile: 'ec2',
    region: 'us-east-1',
    seed: 1,
    json: false,
    ...options,
  });
  return printed.mock.calls.join('\n');
}

const runJson = async (options: Partial<SimulateOptions>) => JSON.parse(await run({ ...options, json: true }));

test('serves and bills a constant load, and marks every assumption', async () => {
  const { runs, assumptions, prices } = await runJson({ rps: 90 });
  expect(runs).toHaveLength(1);
  expect(runs[0].summary).toMatchObject({ dropped: 0, fewest: 2, most: 2, onDemandHours: 48, spotHours: 0 });
  expect(runs[0].billUsd).toBeCloseTo(48 * prices.onDemand, 6);
  expect(runs[0].hours).toHaveLength(24);
  expect(runs[0].hours[0]).toEqual({ demand: 324_000, served: 324_000, leastCapacity: 12_000, servers: 2 });
  const marks = new Set(assumptions.map(({ mark }: { mark: string }) => mark));
  expect([...marks].sort()).toEqual(['assumed', 'doc', 'given', 'seen']);
  expect(assumptions).toContainEqual({ mark: 'given', text: 'Baseline traffic is 90 requests/s.' });
  expect(assumptions).toContainEqual({
    mark: 'assumed',
    text: 'One server handles 100 requests/s at 100% CPU, and CPU is proportional to requests.',
  });
});

test('has no cost without a price, and uses a given price', async () => {
  const unknown = {
    ...TEMPLATE.Resources.LaunchTemplate,
    Properties: { LaunchTemplateData: { InstanceType: 'x9.huge' } },
  };
  const template = { Resources: { ...TEMPLATE.Resources, LaunchTemplate: unknown } };
  writeFileSync(file('unknown.json'), JSON.stringify(template));
  const text = await run({ template: file('unknown.json') });
  expect(text).toMatch(/cost of the servers +unpriced: pass --price-per-hour, --spot-price-per-hour/);
  expect(text).toContain('no On-Demand price for x9.huge');
  expect((await runJson({ template: file('unknown.json'), rps: 90, pricePerHour: 0.5 })).runs[0].billUsd).toBe(24);
});

test('compares a cooldown of 0 with 300: only the first one thrashes', async () => {
  const { runs, assumptions } = await runJson({ rps: 160, cooldown: 0, metricDelay: 120, appStart: 100 });
  expect(runs.map(({ name }: { name: string }) => name)).toEqual(['cooldown 0 s', 'cooldown 300 s']);
  const [without, usual] = runs;
  // 80%, then +2 and +2, then below 30%: -3.
  const sizes = without.decisions.map(({ desired }: { desired: number }) => desired);
  expect(sizes.slice(0, 4)).toEqual([4, 6, 8, 5]);
  expect(without.decisions[0].why).toBe('CPU 80%, above 70');
  expect(without.summary.thrash).toBeGreaterThan(20);
  expect(usual.summary.thrash).toBe(0);
  expect(assumptions[0].text).toContain('Classic rules replace all policies');
});

test('simulates recorded traffic', async () => {
  const lines = ['time,rps', '2026-11-27T00:00Z,50', '2026-11-27T01:00Z,800', '2026-11-27T03:00Z,0'];
  writeFileSync(file('friday.csv'), lines.join('\n'));
  const { runs, traffic } = await runJson({ traffic: file('friday.csv') });
  expect(traffic).toEqual({ name: file('friday.csv'), start: '2026-11-27T00:00:00.000Z' });
  expect(runs[0].summary).toMatchObject({ minutes: 180, demand: 50 * 3600 + 800 * 7200, most: 10, peakRps: 800 });
  expect(runs[0].summary.dropped).toBeGreaterThan(0);
  expect(runs[0].hours[2].servers).toBe(10);
  // From some minutes into the second hour to the end of the third.
  expect(runs[0].summary.minutesAtMax).toBeGreaterThan(100);
  expect(runs[0].summary.minutesAtMax).toBeLessThan(120);
});

test('prints the same bytes for the same seed only', async () => {
  const once = await run({ traffic: 'daily', days: 1 });
  expect(await run({ traffic: 'daily', days: 1 })).toBe(once);
  expect(await run({ traffic: 'daily', days: 1, seed: 2 })).not.toBe(once);
});

test('writes an SVG chart that shows dropped requests', async () => {
  await run({ traffic: 'spike', rps: 90, svg: file('spike.svg') });
  const svg = readFileSync(file('spike.svg'), 'utf8');
  expect(svg).toMatch(/^<svg [^>]*width="1100"/);
  for (const text of ['dropped requests', 'servers in service', 'maximum 10', 'target 50%', '% dropped']) {
    expect(svg).toContain(text);
  }
});

test('the picture in docs is the output of npm run simulate -- --traffic black-friday', async () => {
  await run({ template: undefined, traffic: 'black-friday', svg: file('black-friday.svg') });
  // ECharts numbers elements per process.
  const drawn = (path: string) => readFileSync(path, 'utf8').replace(/zr\d+-[a-z]+-?\d+/g, 'zr');
  expect(drawn(file('black-friday.svg'))).toBe(drawn(join(__dirname, '../../../../docs/pictures/black-friday.svg')));
});

test.each<[string | RegExp, Partial<SimulateOptions>]>([
  [
    '--template must be a template (JSON or YAML) or a cloud assembly (cdk.out), got nowhere.json: does not exist',
    { template: 'nowhere.json' },
  ],
  [
    /^--template must be a template \(JSON or YAML\) or a cloud assembly \(cdk\.out\), got README\.md: line \d+, column 1: .*$/,
    { template: 'README.md' },
  ],
  ['got docs: contains no manifest.json, so it is not a cloud assembly (cdk.out)', { template: 'docs' }],
  [
    '--traffic must be steady, daily, spike, black-friday or a CSV file with time,rps, got weekly.',
    { traffic: 'weekly' },
  ],
  ['Traffic must be an existing CSV file with time,rps, got nowhere.csv.', { traffic: 'nowhere.csv' }],
  ['--group must match one of Fleet, got Jobs.', { group: 'Jobs' }],
  ['--region must be a region with prices (us-east-1), got mars-1.', { region: 'mars-1' }],
])('rejects invalid input: %s', async (message, options) => {
  const refused = run(options);
  await expect(refused).rejects.toThrow(message);
  await expect(refused).rejects.toBeInstanceOf(UsageError);
});

test.each([
  [
    ['when,rps', '0,1'],
    'time must be ISO 8601 or Unix seconds, below a header time,rps, got "undefined" in line 2 of FILE.',
  ],
  [
    ['time,rps', '0,1', '60,lots'],
    'rps must be a number from 0, below a header time,rps, got "lots" in line 3 of FILE.',
  ],
  [['time,rps', '60,1', '0,1'], 'time must be later than in the previous line, got "0" in line 3 of FILE.'],
  [['time,rps', '0,1'], 'Traffic must have at least 2 lines, got 1 in FILE.'],
])('rejects invalid recorded traffic: %j', async (lines, message) => {
  writeFileSync(file('bad.csv'), lines.join('\n'));
  await expect(run({ traffic: file('bad.csv') })).rejects.toThrow(message.replace('FILE', file('bad.csv')));
});

test('reads a group in a nested stack with its parameters', async () => {
  const template = join(__dirname, '../../../fixtures/blog/blog.yaml');
  const blog = { template, serverRps: 50, rps: 10 };
  const { group } = await runJson(blog);
  expect(group).toMatchObject({ id: 'Group', minSize: 1, maxSize: 12, instanceTypes: ['t4g.small'] });
  await expect(run({ ...blog, stack: 'Web' })).rejects.toThrow(`--stack must be one of ${template}/Web, got Web.`);
  expect((await runJson({ ...blog, stack: `${template}/Web` })).group).toEqual(group);
});

test('names the candidates when several stacks scale, and reports a template without a group', async () => {
  const group = (Resources: object) => ({ Type: 'AWS::AutoScaling::AutoScalingGroup', Properties: Resources });
  const nested = (TemplateURL: string) => ({ Type: 'AWS::CloudFormation::Stack', Properties: { TemplateURL } });
  writeFileSync(file('one.json'), JSON.stringify({ Resources: { Fleet: group({ MinSize: 1, MaxSize: 2 }) } }));
  writeFileSync(file('two.json'), JSON.stringify({ Resources: { A: nested('one.json'), B: nested('one.json') } }));
  writeFileSync(file('none.json'), JSON.stringify({ Resources: { Topic: { Type: 'AWS::SNS::Topic' } } }));
  const several = `--stack must be one of ${file('two.json')}/A, ${file('two.json')}/B, got none.`;
  await expect(run({ template: file('two.json') })).rejects.toThrow(several);
  await expect(run({ template: file('none.json') })).rejects.toThrow(
    'The template has no AWS::AutoScaling::AutoScalingGroup.',
  );
});

test('needs --server-rps when the scaling targets do not determine it', async () => {
  const { Requests, ...resources } = TEMPLATE.Resources;
  writeFileSync(file('cpu.json'), JSON.stringify({ Resources: resources }));
  await expect(run({ template: file('cpu.json') })).rejects.toThrow(
    '--server-rps must be set to a number above 0: Fleet does not have targets for both CPU and requests.',
  );
  expect(await run({ template: file('cpu.json'), serverRps: 50 })).toContain('One server handles 50 requests/s');
  expect(Requests.Type).toBe('AWS::AutoScaling::ScalingPolicy');
});
