import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { billOf } from '../../../lib/planner/cost/bill';
import { pricers } from '../../../lib/planner/cost/pricers';
import { billAsMarkdown, renderBill } from '../../../lib/planner/cost/render';
import { type CostOptions, cost } from '../../../lib/planner/cost-verb';
import { readPriceTable } from '../../../lib/planner/prices/table';

/** Templates that nobody here has seen before. */
const prices = readPriceTable('us-east-1');

const LEAVES = [
  '',
  'x',
  '5',
  7,
  true,
  [],
  [{}],
  ['a', 'b'],
  {},
  null,
  { Ref: 'Nobody' },
  { 'Fn::GetAtt': ['Other', 'Arn'] },
];
const NAMES = [
  ...['AllocatedStorage', 'Architectures', 'BackupPlanId', 'BackupSelection', 'BillingMode', 'BlockDeviceMappings'],
  ...['CacheNodeType', 'ConnectivityType', 'DBClusterIdentifier', 'DBInstanceClass', 'DBProxyName', 'DesiredCapacity'],
  ...['Enabled', 'Engine', 'InstanceType', 'Iops', 'LaunchConfigurationName', 'LaunchTemplate', 'LaunchTemplateData'],
  ...['Metrics', 'MinSize', 'MixedInstancesPolicy', 'Monitoring', 'MultiAZ', 'NetworkInterfaces', 'NumCacheClusters'],
  ...[
    'NumNodeGroups',
    'Period',
    'ReplicationGroupId',
    'RetentionInDays',
    'Rules',
    'Scheme',
    'ServerlessV2ScalingConfiguration',
  ],
  ...[
    'Size',
    'SourceDBInstanceIdentifier',
    'StorageType',
    'SubnetId',
    'SubnetIds',
    'SubnetMappings',
    'Subnets',
    'Type',
  ],
  ...['VolumeType', 'VpcEndpointType', 'VPCZoneIdentifier', 'LogGroupName', 'RedrivePolicy', 'DBInstanceIdentifiers'],
];

test('whatever a template says, there is a bill that accounts for every resource', () => {
  const value = fc.constantFrom(...LEAVES);
  const properties = fc.oneof(
    fc.dictionary(fc.constantFrom(...NAMES), value, { maxKeys: 12 }),
    fc.dictionary(fc.constantFrom(...NAMES), fc.dictionary(fc.constantFrom(...NAMES), value, { maxKeys: 4 }), {
      maxKeys: 8,
    }),
  );
  const types = [
    ...Object.keys(pricers),
    'AWS::RDS::DBProxyTargetGroup',
    'AWS::EC2::LaunchTemplate',
    'AWS::New::Thing',
  ];
  const resource = fc.record({ Type: fc.constantFrom(...types), Properties: properties }, { requiredKeys: ['Type'] });
  const traffic = { rps: 10, peakToAverage: 2, responseBytes: 100, edgeHitRatio: 0.5, writeRatio: 0.1, dataGib: 1 };
  fc.assert(
    fc.property(fc.array(resource, { minLength: 1, maxLength: 12 }), (resources) => {
      const Resources = Object.fromEntries(resources.map((one, at) => [at === 0 ? 'Other' : `R${at}`, one]));
      const bill = billOf([{ id: 'any', template: { Resources } }], { prices, traffic });
      const { priced, usage, free, unpriced } = bill.counts;
      expect(priced + usage + free + unpriced).toBe(resources.length);
      expect(Number.isFinite(bill.totalUsd) && bill.totalUsd >= 0).toBe(true);
      expect(renderBill('any', bill) + billAsMarkdown('any', bill)).not.toMatch(/NaN|undefined|\[object/);
    }),
    { numRuns: 150 },
  );
});

describe('the verb', () => {
  let dir: string;
  let printed: string[];
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'cost-'));
    printed = [];
    for (const stream of ['log', 'error'] as const) {
      jest.spyOn(console, stream).mockImplementation((...line: unknown[]) => void printed.push(line.join(' ')));
    }
  });
  afterEach(() => {
    jest.restoreAllMocks();
    rmSync(dir, { recursive: true, force: true });
  });

  const write = (name: string, content: unknown) => {
    const file = join(dir, name);
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
    return file;
  };
  const blog = () =>
    write('blog.json', {
      Parameters: { Type: { Type: 'String', Default: 't3.small' } },
      Resources: {
        Server: { Type: 'AWS::EC2::Instance', Properties: { InstanceType: { Ref: 'Type' } } },
        Db: { Type: 'AWS::RDS::DBInstance', Properties: { Engine: 'mysql', DBInstanceClass: 'db.t3.micro' } },
        Group: { Type: 'AWS::EC2::SecurityGroup', Properties: { GroupDescription: 'web' } },
      },
    });
  const run = (what: string, more: Partial<CostOptions> = {}) => cost({ what, region: 'us-east-1', ...more });

  test('bills a template of somebody else, and names what it has no price for', async () => {
    expect(await run(blog())).toBe(0);
    expect(printed[0]).toMatch(/Instance Server +t3\.small on demand +730 +hour +0\.0208 +15\.18/);
    expect(printed[0]).toContain('UNPRICED: RDS::DBInstance Db: no price for rds.mysql.db.t3.micro.single');
    expect(printed[0]).toContain('Coverage 66.7% of 3 resources: 1 priced, 0 by usage, 1 free, 1 unpriced');
    expect(printed[0]).toMatch(/WARNING: \d+ prices, the oldest read on|Prices: \d+ prices/);
  });

  test('takes parameters, and compares', async () => {
    await run(blog(), { parameter: ['Type=t3.medium'], json: true });
    expect(JSON.parse(printed[0] as string)).toMatchObject({ fixedUsd: expect.closeTo(30.368, 3) });
    const empty = write('empty.json', { Resources: {} });
    await run(blog(), { against: empty, markdown: true });
    expect(printed[1]).toMatch(/\| total \| 0\.00 \| 15\.18 \| \+15\.18 \|/);
  });

  test('ends with 1 above the budget, and with 0 at or below it', async () => {
    expect(await run(blog(), { budget: 15 })).toBe(1);
    expect(printed.at(-1)).toBe('15.18 a month, without what is billed by use: 0.18 above the budget of 15.00');
    expect(await run(blog(), { budget: 16 })).toBe(0);
  });

  test.each([
    [
      () => join(dir, 'none.json'),
      {},
      /none\.json: allowed is phase-N, a template file, or a folder that cdk synth wrote/,
    ],
    [() => write('a.yaml', 'Resources: {}'), {}, /a\.yaml: it is not JSON; CloudFormation's YAML is not read here/],
    [() => write('b.json', [1]), {}, /b\.json: a template has Resources/],
    [() => dir, {}, /there is no manifest\.json in it/],
    [blog, { parameter: ['Type'] }, /--parameter Type: allowed is name=value/],
    [blog, { instances: ['Web=many'] }, /--instances Web=many: allowed is a whole number/],
    [blog, { region: 'eu-west-9' }, /--region eu-west-9: no prices/],
  ])('refuses bad input in one line (%#)', async (what, more, message) => {
    await expect(run(what(), more)).rejects.toThrow(
      expect.objectContaining({ name: 'UsageError', message: expect.stringMatching(message) }),
    );
  });
});
