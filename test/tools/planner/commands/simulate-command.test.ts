import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type SimulateOptions, simulateVerb } from '../../../../tools/planner/commands/simulate-command';
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
/** Somebody else's: on-demand servers of 100 requests a second each. */
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
  await simulateVerb({
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

test('an even load is carried, billed, and every assumption has its mark', async () => {
  const { runs, assumptions, prices } = await runJson({ rps: 90 });
  expect(runs).toHaveLength(1);
  expect(runs[0].summary).toMatchObject({ dropped: 0, fewest: 2, most: 2, onDemandHours: 48, spotHours: 0 });
  expect(runs[0].billUsd).toBeCloseTo(48 * prices.onDemand, 6);
  expect(runs[0].hours).toHaveLength(24);
  expect(runs[0].hours[0]).toEqual({ demand: 324_000, served: 324_000, leastCapacity: 12_000, servers: 2 });
  const marks = new Set(assumptions.map(({ mark }: { mark: string }) => mark));
  expect([...marks].sort()).toEqual(['assumed', 'doc', 'given', 'seen']);
  expect(assumptions).toContainEqual({ mark: 'given', text: 'Ordinary traffic is 90 requests a second.' });
  expect(assumptions).toContainEqual({
    mark: 'assumed',
    text: 'One server does 100 requests a second at 100% CPU, and CPU grows with them.',
  });
});

test('without a price there is no bill, and with one given it counts', async () => {
  const unknown = {
    ...TEMPLATE.Resources.LaunchTemplate,
    Properties: { LaunchTemplateData: { InstanceType: 'x9.huge' } },
  };
  const template = { Resources: { ...TEMPLATE.Resources, LaunchTemplate: unknown } };
  writeFileSync(file('unknown.json'), JSON.stringify(template));
  const text = await run({ template: file('unknown.json') });
  expect(text).toMatch(/bill of the servers +unpriced \(--price-per-hour, --spot-price-per-hour\)/);
  expect(text).toContain('no price of x9.huge on demand');
  expect((await runJson({ template: file('unknown.json'), rps: 90, pricePerHour: 0.5 })).runs[0].billUsd).toBe(24);
});

test('a cool-down of 0 stands next to 300: the same traffic, and only one of them thrashes', async () => {
  const { runs, assumptions } = await runJson({ rps: 160, cooldown: 0, metricDelay: 120, appStart: 100 });
  expect(runs.map(({ name }: { name: string }) => name)).toEqual(['cool-down 0 s', 'cool-down 300 s']);
  const [without, usual] = runs;
  // 80%, then +2 and +2, then below 30%: -3.
  const sizes = without.decisions.map(({ desired }: { desired: number }) => desired);
  expect(sizes.slice(0, 4)).toEqual([4, 6, 8, 5]);
  expect(without.decisions[0].why).toBe('CPU 80%, above 70');
  expect(without.summary.thrash).toBeGreaterThan(20);
  expect(usual.summary.thrash).toBe(0);
  expect(assumptions[0].text).toContain('the classic rules stand in for all of them');
});

test('traffic of a file is replayed, and its servers are counted', async () => {
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

test('the same seed prints the same bytes, and another one does not', async () => {
  const once = await run({ traffic: 'daily', days: 1 });
  expect(await run({ traffic: 'daily', days: 1 })).toBe(once);
  expect(await run({ traffic: 'daily', days: 1, seed: 2 })).not.toBe(once);
});

test('the chart is SVG that says what was dropped', async () => {
  await run({ traffic: 'spike', rps: 90, svg: file('spike.svg') });
  const svg = readFileSync(file('spike.svg'), 'utf8');
  expect(svg).toMatch(/^<svg [^>]*width="1100"/);
  for (const text of ['demand that is dropped', 'servers in service', 'maximum 10', 'target 50%', '% dropped']) {
    expect(svg).toContain(text);
  }
});

test('the picture in docs is what npm run simulate -- --traffic black-friday draws', async () => {
  await run({ template: undefined, traffic: 'black-friday', svg: file('black-friday.svg') });
  // The drawing library numbers what it draws in a process.
  const drawn = (path: string) => readFileSync(path, 'utf8').replace(/zr\d+-[a-z]+-?\d+/g, 'zr');
  expect(drawn(file('black-friday.svg'))).toBe(drawn(join(__dirname, '../../../../docs/pictures/black-friday.svg')));
});

test.each<[string | RegExp, Partial<SimulateOptions>]>([
  [
    '--template nowhere.json: is not there; allowed is a template as JSON or YAML, or a folder that cdk synth wrote',
    { template: 'nowhere.json' },
  ],
  [
    /^--template README\.md: line \d+, column 1: .*; allowed is a template as JSON or YAML, or a folder that cdk synth wrote$/,
    { template: 'README.md' },
  ],
  ['--template docs: there is no manifest.json in it, which cdk synth would have written', { template: 'docs' }],
  [
    '--traffic weekly: allowed is steady, daily, spike, black-friday or a CSV file with time,rps',
    { traffic: 'weekly' },
  ],
  ['Traffic "nowhere.csv" is not there; allowed is a CSV file with time,rps.', { traffic: 'nowhere.csv' }],
  ['Group "Jobs" is not one group of the template; allowed: Fleet.', { group: 'Jobs' }],
  ['--region mars-1: no prices', { region: 'mars-1' }],
])('bad input is told: %s', async (message, options) => {
  const refused = run(options);
  await expect(refused).rejects.toThrow(message);
  await expect(refused).rejects.toBeInstanceOf(UsageError);
});

test.each([
  [
    ['when,rps', '0,1'],
    'Line 2 of "FILE" has time "undefined"; allowed is ISO 8601 or Unix seconds, below a head time,rps.',
  ],
  [
    ['time,rps', '0,1', '60,lots'],
    'Line 3 of "FILE" has rps "lots"; allowed is a number from 0, below a head time,rps.',
  ],
  [['time,rps', '60,1', '0,1'], 'Line 3 of "FILE" has time "0", not after the line before; allowed are rising times.'],
  [['time,rps', '0,1'], 'Traffic "FILE" has 1 lines; allowed are 2 and more.'],
])('traffic of a file that cannot be read: %j', async (lines, message) => {
  writeFileSync(file('bad.csv'), lines.join('\n'));
  await expect(run({ traffic: file('bad.csv') })).rejects.toThrow(message.replace('FILE', file('bad.csv')));
});

test('a group in a nested stack is read with what is handed down to it', async () => {
  const template = join(__dirname, '../../../fixtures/blog/blog.yaml');
  const blog = { template, serverRps: 50, rps: 10 };
  const { group } = await runJson(blog);
  expect(group).toMatchObject({ id: 'Group', minSize: 1, maxSize: 12, instanceTypes: ['t4g.small'] });
  await expect(run({ ...blog, stack: 'Web' })).rejects.toThrow(`--stack Web: allowed is ${template}/Web`);
  expect((await runJson({ ...blog, stack: `${template}/Web` })).group).toEqual(group);
});

test('where nothing scales, or several do, the stacks that may be meant are named', async () => {
  const group = (Resources: object) => ({ Type: 'AWS::AutoScaling::AutoScalingGroup', Properties: Resources });
  const nested = (TemplateURL: string) => ({ Type: 'AWS::CloudFormation::Stack', Properties: { TemplateURL } });
  writeFileSync(file('one.json'), JSON.stringify({ Resources: { Fleet: group({ MinSize: 1, MaxSize: 2 }) } }));
  writeFileSync(file('two.json'), JSON.stringify({ Resources: { A: nested('one.json'), B: nested('one.json') } }));
  writeFileSync(file('none.json'), JSON.stringify({ Resources: { Topic: { Type: 'AWS::SNS::Topic' } } }));
  const several = `--stack (none): allowed is ${file('two.json')}/A, ${file('two.json')}/B`;
  await expect(run({ template: file('two.json') })).rejects.toThrow(several);
  await expect(run({ template: file('none.json') })).rejects.toThrow(
    'The template has no AWS::AutoScaling::AutoScalingGroup; there is nothing that scales in it.',
  );
});

test('a fleet whose targets do not say what a server can do is asked about', async () => {
  const { Requests, ...resources } = TEMPLATE.Resources;
  writeFileSync(file('cpu.json'), JSON.stringify({ Resources: resources }));
  await expect(run({ template: file('cpu.json') })).rejects.toThrow('--server-rps: Fleet has no targets for both');
  expect(await run({ template: file('cpu.json'), serverRps: 50 })).toContain('One server does 50 requests a second');
  expect(Requests.Type).toBe('AWS::AutoScaling::ScalingPolicy');
});
