import type { Template, TemplateResource } from '../../../../tools/cloudformation/template';
import { type BillOptions, billOf } from '../../../../tools/planner/cost/bill';
import { splitPurchase, spotPrice } from '../../../../tools/planner/cost/machines';
import { type ExpectedTraffic, TRAFFIC_DEFAULTS } from '../../../../tools/planner/cost/usage';
import { type Price, readPriceTable } from '../../../../tools/planner/prices/table';

const prices = readPriceTable('us-east-1');
const traffic: ExpectedTraffic = {
  rps: 100,
  ...(Object.fromEntries(Object.entries(TRAFFIC_DEFAULTS).map(([name, { value }]) => [name, value])) as Omit<
    ExpectedTraffic,
    'rps'
  >),
};

function bill(
  Resources: Record<string, TemplateResource>,
  rest: Partial<Template> = {},
  options: Partial<BillOptions> = {},
) {
  return billOf([{ id: 'test', template: { Resources, ...rest } }], { prices, ...options });
}

function only(Type: string, Properties: Record<string, unknown>, rest: Partial<Template> = {}) {
  const { rows } = bill({ It: { Type, Properties } }, rest);
  return rows[0] as (typeof rows)[0];
}

const charges = (row: { charges: readonly { what: string; usd: number | undefined }[] }) =>
  Object.fromEntries(row.charges.map(({ what, usd }) => [what, usd && Math.round(usd * 100) / 100]));

describe('charges of', () => {
  test('an instance: hours, volumes of its launch template, monitoring, and its address', () => {
    const { rows } = bill({
      Template: {
        Type: 'AWS::EC2::LaunchTemplate',
        Properties: { LaunchTemplateData: { BlockDeviceMappings: [{ Ebs: { VolumeType: 'gp3', VolumeSize: 20 } }] } },
      },
      Subnet: { Type: 'AWS::EC2::Subnet', Properties: { MapPublicIpOnLaunch: true } },
      It: {
        Type: 'AWS::EC2::Instance',
        Properties: {
          InstanceType: 't3.medium',
          Monitoring: true,
          SubnetId: { Ref: 'Subnet' },
          LaunchTemplate: { LaunchTemplateId: { Ref: 'Template' } },
        },
      },
    });
    expect(charges(rows[2] as (typeof rows)[0])).toMatchObject({
      't3.medium On-Demand': 30.37,
      'volume gp3, 20 GiB': 1.6,
      'detailed monitoring (7 metrics per instance)': 2.1,
      'public IPv4 address': 3.65,
    });
  });

  test('a gp3 volume: size, and IOPS above 3,000 and throughput above 125 MiB/s', () => {
    const row = only('AWS::EC2::Volume', { VolumeType: 'gp3', Size: '100', Iops: 4000, Throughput: 225 });
    expect(charges(row)).toEqual({ 'volume gp3, 100 GiB': 8, 'IOPS above 3000': 5, 'MiB/s above 125': 4 });
  });

  test('a Multi-AZ database: Multi-AZ prices, and a replica inherits engine and storage', () => {
    const { rows } = bill({
      Primary: {
        Type: 'AWS::RDS::DBInstance',
        Properties: {
          Engine: 'postgres',
          DBInstanceClass: 'db.t4g.small',
          MultiAZ: true,
          StorageType: 'gp3',
          AllocatedStorage: '500',
          Iops: 13_000,
        },
      },
      Replica: {
        Type: 'AWS::RDS::DBInstance',
        Properties: {
          DBInstanceClass: 'db.t4g.small',
          SourceDBInstanceIdentifier: {
            'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':rds:db:', { Ref: 'Primary' }]],
          },
        },
      },
    });
    expect(charges(rows[0] as (typeof rows)[0])).toMatchObject({
      'db.t4g.small Multi-AZ': 47.45,
      'storage gp3, 500 GiB': 115,
      'IOPS above the baseline': 40,
    });
    expect(charges(rows[1] as (typeof rows)[0])).toMatchObject({
      'db.t4g.small Single-AZ': 23.36,
      'storage gp3, 500 GiB': 57.5,
    });
  });

  test('a proxy: the vCPUs of its target database, at least two', () => {
    const behind = (DBInstanceClass: string) =>
      bill({
        Db: { Type: 'AWS::RDS::DBInstance', Properties: { Engine: 'postgres', DBInstanceClass } },
        Targets: {
          Type: 'AWS::RDS::DBProxyTargetGroup',
          Properties: { DBProxyName: { Ref: 'Proxy' }, DBInstanceIdentifiers: [{ Ref: 'Db' }] },
        },
        Proxy: { Type: 'AWS::RDS::DBProxy', Properties: {} },
      }).rows[2]?.usd;
    expect(behind('db.m7g.medium')).toBeCloseTo(2 * 0.015 * 730, 6);
    expect(behind('db.m6g.4xlarge')).toBeCloseTo(16 * 0.015 * 730, 6);
  });

  test('a web ACL: the ACL and its rules', () => {
    expect(only('AWS::WAFv2::WebACL', { Rules: [{}, {}, {}] }).usd).toBe(8);
  });

  test('a metric math alarm: each of its metrics', () => {
    const metrics = [{ Expression: 'MAX([a, b])' }, { MetricStat: { Period: 60 } }, { MetricStat: { Period: 60 } }];
    expect(only('AWS::CloudWatch::Alarm', { Metrics: metrics }).usd).toBeCloseTo(0.2, 6);
    expect(only('AWS::CloudWatch::Alarm', { Period: 10 }).verdict).toBe('unpriced');
  });

  test('endpoints: interface endpoints by zone, gateway endpoints free', () => {
    expect(only('AWS::EC2::VPCEndpoint', { VpcEndpointType: 'Interface', SubnetIds: ['a', 'b'] }).usd).toBeCloseTo(
      14.6,
      6,
    );
    expect(only('AWS::EC2::VPCEndpoint', {}).verdict).toBe('free');
  });

  test('a load balancer: an address per zone when public, none when internal', () => {
    const Subnets = ['a', 'b', 'c'];
    expect(only('AWS::ElasticLoadBalancingV2::LoadBalancer', { Subnets }).usd).toBeCloseTo(16.425 + 3 * 3.65, 6);
    expect(only('AWS::ElasticLoadBalancingV2::LoadBalancer', { Subnets, Scheme: 'internal' }).usd).toBeCloseTo(
      16.425,
      6,
    );
  });
});

describe('an Auto Scaling group', () => {
  const group = {
    Launch: {
      Type: 'AWS::EC2::LaunchTemplate',
      Properties: {
        LaunchTemplateData: {
          InstanceType: 'c7g.large',
          BlockDeviceMappings: [{ Ebs: { VolumeType: 'gp3', VolumeSize: 10 } }],
        },
      },
    },
    Group: {
      Type: 'AWS::AutoScaling::AutoScalingGroup',
      Properties: {
        MinSize: '4',
        MaxSize: '20',
        MixedInstancesPolicy: {
          InstancesDistribution: { OnDemandBaseCapacity: 2, OnDemandPercentageAboveBaseCapacity: 50 },
          LaunchTemplate: {
            LaunchTemplateSpecification: { LaunchTemplateId: { Ref: 'Launch' } },
            Overrides: [{ InstanceType: 'c7g.large' }, { InstanceType: 'm7g.large' }],
          },
        },
      },
    },
  };

  test('is billed at its minimum size, by On-Demand and spot, with the volumes of each server', () => {
    const spot = (0.0725 * 0.51 + 0.0816 * 0.36) / 2;
    expect(charges(bill(group).rows[1] as never)).toEqual({
      '3 × c7g.large On-Demand': Math.round(3 * 0.0725 * 73_000) / 100,
      '1 × spot (c7g.large, m7g.large)': Math.round(spot * 73_000) / 100,
      '4 × volume gp3, 10 GiB': 3.2,
    });
  });

  test('is billed at a given size', () => {
    const [, row] = bill(group, {}, { instances: { Group: 10 } }).rows;
    expect(Object.keys(charges(row as never))).toContain('4 × spot (c7g.large, m7g.large)');
  });

  test.each([
    [20, { OnDemandBaseCapacity: 12, OnDemandPercentageAboveBaseCapacity: 0 }, { onDemand: 12, spot: 8 }],
    [5, { OnDemandBaseCapacity: 2, OnDemandPercentageAboveBaseCapacity: 25 }, { onDemand: 3, spot: 2 }],
    [1, { OnDemandBaseCapacity: 2, OnDemandPercentageAboveBaseCapacity: 0 }, { onDemand: 1, spot: 0 }],
    [3, {}, { onDemand: 3, spot: 0 }],
  ])('of %d is split by %j', (instances, distribution, expected) => {
    expect(splitPurchase(instances, distribution)).toEqual(expected);
  });

  test('with a type without a spot saving is unpriced', () => {
    expect(spotPrice(['u-24tb1.112xlarge'], prices)).toBe('no spot saving for u-24tb1.112xlarge');
    expect((spotPrice(['t3.micro'], prices) as Price).asOf).toBe('2025-06-28');
  });
});

test('counts resources without a price as unpriced', () => {
  const { counts, coverage, rows } = bill({
    Known: { Type: 'AWS::EC2::EIP' },
    NoSuchType: { Type: 'AWS::QLDB::Ledger' },
    NoSuchPrice: { Type: 'AWS::EC2::Instance', Properties: { InstanceType: 'p5.48xlarge' } },
    Imported: { Type: 'AWS::EC2::Instance', Properties: { InstanceType: { 'Fn::ImportValue': 'elsewhere' } } },
  });
  expect(counts).toEqual({ priced: 1, usage: 0, free: 0, unpriced: 3 });
  expect(coverage).toBe(25);
  expect(rows.map(({ why }) => why)).toEqual([
    undefined,
    'no price for AWS::QLDB::Ledger',
    'no price for ec2.p5.48xlarge',
    'instance type not in the template',
  ]);
});

test('has no usage amount without traffic', () => {
  const distribution = { It: { Type: 'AWS::CloudFront::Distribution', Properties: {} } };
  expect(bill(distribution)).toMatchObject({ usageUsd: undefined, totalUsd: 0 });
  expect(bill(distribution).rows[0]).toMatchObject({ verdict: 'usage' });
  expect(bill(distribution, {}, { traffic }).usageUsd).toBeGreaterThan(80);
});

test('a million requests/s of 1 KiB through CloudFront cost 2.63 million USD for requests', () => {
  const flood = { ...traffic, rps: 1e6, peakToAverage: 1, responseBytes: 1024 };
  const { rows } = bill({ It: { Type: 'AWS::CloudFront::Distribution' } }, {}, { traffic: flood });
  expect((rows[0]?.charges[0]?.usd ?? 0) / 1e6).toBeCloseTo(2.63, 2);
});

describe('intrinsic functions', () => {
  const Parameters = {
    Size: { Type: 'String', Default: 't3.medium' },
    Sizes: { Type: 'CommaDelimitedList', Default: 't3.micro, t3.large' },
    Image: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/some/name' },
    Env: { Type: 'String', Default: 'dev' },
  };
  const Mappings = { Types: { 'us-east-1': { big: 'm6i.xlarge' } } };
  const Conditions = {
    IsProd: { 'Fn::Equals': [{ Ref: 'Env' }, 'prod'] },
    IsDev: { 'Fn::Not': [{ Condition: 'IsProd' }] },
  };
  const rest = { Parameters, Mappings, Conditions };

  test.each([
    [{ Ref: 'Size' }, 't3.medium'],
    [{ 'Fn::Select': [1, { Ref: 'Sizes' }] }, 't3.large'],
    [{ 'Fn::FindInMap': ['Types', { Ref: 'AWS::Region' }, 'big'] }, 'm6i.xlarge'],
    [{ 'Fn::Join': ['.', ['t3', 'micro']] }, 't3.micro'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation's own syntax
    [{ 'Fn::Sub': '${Kind}.xlarge' }, undefined],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as above
    [{ 'Fn::Sub': ['${Kind}.xlarge', { Kind: 'm6i' }] }, 'm6i.xlarge'],
    [{ 'Fn::If': ['IsProd', 'm6i.xlarge', 't3.micro'] }, 't3.micro'],
    [{ 'Fn::If': ['IsDev', 't3.micro', 'm6i.xlarge'] }, 't3.micro'],
    [{ Ref: 'Image' }, undefined],
  ])('%j is %s', (InstanceType, type) => {
    const row = only('AWS::EC2::Instance', { InstanceType }, rest);
    expect(row.charges[0]?.what).toBe(type && `${type} On-Demand`);
    expect(row.verdict).toBe(type ? 'priced' : 'unpriced');
  });

  test('a resource with a false condition is excluded, one with an unknown condition is included', () => {
    const eip = { Type: 'AWS::EC2::EIP' };
    const resources = {
      A: { ...eip, Condition: 'IsProd' },
      B: { ...eip, Condition: 'IsDev' },
      C: { ...eip, Condition: 'X' },
    };
    expect(bill(resources, rest).rows.map(({ id }) => id)).toEqual(['B', 'C']);
    expect(bill(resources, rest, { parameters: { Env: 'prod' } }).rows.map(({ id }) => id)).toEqual(['A', 'C']);
  });

  test('combined conditions are unknown if a part is unknown and no other part decides', () => {
    const unknown = { 'Fn::Equals': [{ Ref: 'AWS::AccountId' }, '1'] };
    const both = (one: unknown, other: unknown) => ({ 'Fn::And': [one, other] });
    const either = (one: unknown, other: unknown) => ({ 'Fn::Or': [one, other] });
    const [isProd, isDev] = [{ Condition: 'IsProd' }, { Condition: 'IsDev' }];
    const isIncluded = (condition: unknown) => {
      const resources = { It: { Type: 'AWS::EC2::EIP', Condition: 'C' } };
      return bill(resources, { ...rest, Conditions: { ...Conditions, C: condition } }).rows.length === 1;
    };
    expect([both(isProd, unknown), both(isDev, unknown), both(isDev, isDev)].map(isIncluded)).toEqual([
      false,
      true,
      true,
    ]);
    expect([either(isProd, isProd), either(isProd, unknown), either(isDev, unknown)].map(isIncluded)).toEqual([
      false,
      true,
      true,
    ]);
  });
});
