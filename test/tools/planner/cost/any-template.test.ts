import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { type CostOptions, cost } from '../../../../tools/planner/commands/cost-command';
import { billOf } from '../../../../tools/planner/cost/bill';
import { pricers } from '../../../../tools/planner/cost/pricers';
import { billAsMarkdown, renderBill } from '../../../../tools/planner/cost/render';
import { readPriceTable } from '../../../../tools/planner/prices/table';

/** Templates of other projects. */
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
  { Ref: 'Missing' },
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

test('the bill of any template accounts for every resource', () => {
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

describe('the command cost', () => {
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

  test('bills a template of another project, and names unpriced resources', async () => {
    expect(await run(blog())).toBe(0);
    expect(printed[0]).toMatch(/Instance Server +t3\.small On-Demand +730 +hour +0\.0208 +15\.18/);
    expect(printed[0]).toContain('UNPRICED: RDS::DBInstance Db: no price for rds.mysql.db.t3.micro.single');
    expect(printed[0]).toContain('Coverage 66.7% of 3 resources: 1 priced, 0 by usage, 1 free, 1 unpriced');
    expect(printed[0]).toMatch(/WARNING: \d+ prices, the oldest read on|Prices: \d+ prices/);
  });

  test('bills a YAML template with its nested stacks and their parameters', async () => {
    const what = join(__dirname, '../../../fixtures/blog/blog.yaml');
    await run(what, { rps: 10 });
    expect(printed[0]).toMatch(/AutoScalingGroup Web\/Group +1 × t4g\.small On-Demand +730 /);
    expect(printed[0]).toMatch(/AutoScalingGroup Web\/Group +volume gp3, 20 GiB +20 /);
    expect(printed[0]).toMatch(/traffic +servers to data tier, across zones/);
    expect(printed[0]).toContain('2 × Nested stacks, billed with their resources');
    expect(printed[0]).toMatch(/Coverage 100\.0% of 9 resources: 2 priced, 1 by usage, 6 free, 0 unpriced/);

    await run(what, { parameter: ['Environment=production'] });
    expect(printed[1]).toMatch(/AutoScalingGroup Web\/Group +3 × m7g\.large On-Demand +2,190 /);
    expect(printed[1]).toMatch(/DBInstance Database +db\.m7g\.large Multi-AZ/);
    expect(printed[1]).toContain('UNPRICED: CloudFormation::Stack Search: its TemplateURL is resolved at deployment');
    expect(printed[1]).toMatch(/Coverage 90\.9% of 11 resources: .* 1 unpriced/);
  });

  test('an unresolved value overrides the default of a nested parameter', async () => {
    write('child.json', {
      Parameters: { Type: { Type: 'String', Default: 't3.small' } },
      Resources: { Server: { Type: 'AWS::EC2::Instance', Properties: { InstanceType: { Ref: 'Type' } } } },
    });
    const child = (Type: unknown) => ({
      Type: 'AWS::CloudFormation::Stack',
      Properties: { TemplateURL: 'child.json', Parameters: { Type } },
    });
    const Resources = { One: child({ 'Fn::ImportValue': 'type' }), Two: child('t3.medium') };
    await run(write('parent.json', { Resources }));
    expect(printed[0]).toContain('UNPRICED: EC2::Instance One/Server: instance type not in the template');
    expect(printed[0]).toMatch(/Instance Two\/Server +t3\.medium On-Demand/);
  });

  test('logical ids of a parent do not resolve in a nested stack with equal ids', async () => {
    const template = (InstanceType: string) => ({
      Type: 'AWS::EC2::LaunchTemplate',
      Properties: { LaunchTemplateData: { InstanceType } },
    });
    const server = (id: unknown) => ({
      Type: 'AWS::EC2::Instance',
      Properties: { LaunchTemplate: { LaunchTemplateId: id } },
    });
    write('child.json', {
      Parameters: { Given: { Type: 'String' } },
      Resources: { Template: template('t3.small'), Server: server({ Ref: 'Given' }) },
    });
    const Properties = { TemplateURL: 'child.json', Parameters: { Given: { Ref: 'Template' } } };
    const Child = { Type: 'AWS::CloudFormation::Stack', Properties };
    const Resources = { Template: template('t3.medium'), Server: server({ Ref: 'Template' }), Child };
    await run(write('parent.json', { Resources }), { rps: 10 });
    expect(printed[0]).toContain('UNPRICED: EC2::Instance Child/Server: instance type not in the template');
    // Responses leave AWS at the first instance only.
    expect(printed[0]?.match(/data transfer to the internet/g)).toHaveLength(1);
    expect(printed[0]).toMatch(/Instance Server +data transfer to the internet/);
  });

  test('responses leave AWS once, even if a nested stack has a server with the same id', async () => {
    const Server = { Type: 'AWS::EC2::Instance', Properties: { InstanceType: 't3.small' } };
    write('child.json', { Resources: { Server } });
    const Child = { Type: 'AWS::CloudFormation::Stack', Properties: { TemplateURL: 'child.json' } };
    await run(write('parent.json', { Resources: { Child, Server } }), { rps: 10, json: true });
    const { rows } = JSON.parse(printed[0] as string) as { rows: { id: string; charges: { what: string }[] }[] };
    const entries = rows.filter(({ charges }) => charges.some(({ what }) => what === 'data transfer to the internet'));
    expect(entries.map(({ id }) => id)).toEqual(['Server']);
  });

  test.each([
    ['gone.json', 'gone.json does not exist'],
    ['self.json', 'self.json is nested in itself'],
    ['bad.yaml', 'bad.yaml: line 1, column 1: '],
    ['https://example.com/x.yaml', 'https://example.com/x.yaml is not a local file'],
    [{ Ref: 'Url' }, 'its TemplateURL is resolved at deployment'],
  ])('a nested stack %j that cannot be read is unpriced and says why', async (TemplateURL, why) => {
    write('bad.yaml', '}');
    const nested = { Type: 'AWS::CloudFormation::Stack', Properties: { TemplateURL } };
    await run(write('self.json', { Resources: { Nested: nested } }));
    expect(printed[0]).toContain(`UNPRICED: CloudFormation::Stack Nested: ${why}`);
    expect(printed[0]).toContain('Coverage 0.0% of 1 resources');
  });

  test('applies parameters, and compares bills', async () => {
    await run(blog(), { parameter: ['Type=t3.medium'], json: true });
    expect(JSON.parse(printed[0] as string)).toMatchObject({ fixedUsd: expect.closeTo(30.368, 3) });
    const empty = write('empty.json', { Resources: {} });
    await run(blog(), { against: empty, markdown: true });
    expect(printed[1]).toMatch(/\| total \| 0\.00 \| 15\.18 \| \+15\.18 \|/);
  });

  test('exits with 1 above the budget, and with 0 at or below it', async () => {
    expect(await run(blog(), { budget: 15 })).toBe(1);
    expect(printed.at(-1)).toBe('15.18 a month without usage charges: 0.18 above the budget of 15.00');
    expect(await run(blog(), { budget: 16 })).toBe(0);
  });

  test.each([
    [
      () => join(dir, 'none.json'),
      {},
      /^what must be phase-N, a template \(JSON or YAML\) or a cloud assembly \(cdk\.out\), got .*none\.json: does not exist$/,
    ],
    [
      () => write('a.yaml', 'Resources:\n  A: !Reff B'),
      {},
      /^what must be phase-N, a template .*a\.yaml: line 2, column 6: Unresolved tag: !Reff$/,
    ],
    [() => write('b.json', [1]), {}, /^what must be phase-N, a template .*b\.json: has no Resources$/],
    [
      () => dir,
      {},
      /^what must be phase-N, a template .*: contains no manifest\.json, so it is not a cloud assembly \(cdk\.out\)$/,
    ],
    [blog, { parameter: ['Type'] }, /^--parameter must be name=value, got Type\.$/],
    [
      blog,
      { instances: ['Web=many'] },
      /^--instances must be name=number with an integer from 0 to 99999, got Web=many\.$/,
    ],
    [blog, { region: 'eu-west-9' }, /^--region must be a region with prices \(us-east-1\), got eu-west-9\./],
  ])('rejects invalid input in one line (%#)', async (what, more, message) => {
    await expect(run(what(), more)).rejects.toThrow(
      expect.objectContaining({ name: 'UsageError', message: expect.stringMatching(message) }),
    );
  });
});
