import { CloudFormationClient, CreateStackCommand } from '@aws-sdk/client-cloudformation';
import type { Template } from '../../../tools/cloudformation/template';
import { compareFacts, type InventoryRow, takeInventory } from '../../../tools/emulator/inventory';
import { kinds, type Properties } from '../../../tools/emulator/kinds';
import { type Moto, startMoto } from '../../../tools/emulator/moto';
import { emulatorEnv, QUIET_SDK } from '../../../tools/support/aws-environment';
import { COMPARED } from '../../support/deployment';
import { describeWith } from '../../support/needs';

Object.assign(process.env, QUIET_SDK);

describeWith('moto server', 'takeInventory', () => {
  let moto: Moto;

  beforeAll(async () => {
    moto = await startMoto();
  });

  afterAll(() => moto?.stop());

  /** Deploys resources and takes an inventory against a template with the same or other resources. */
  async function inventory(
    stackName: string,
    deployed: Template['Resources'],
    expected = deployed,
    paths: ReadonlyMap<string, string> = new Map(),
  ): Promise<InventoryRow[]> {
    const { endpoint } = moto;
    const credentials = { accessKeyId: 'emulator', secretAccessKey: 'emulator' };
    const config = { endpoint, region: 'us-east-1', credentials };
    const TemplateBody = JSON.stringify({ Resources: deployed });
    await new CloudFormationClient(config).send(new CreateStackCommand({ StackName: stackName, TemplateBody }));
    const template = { Resources: expected };
    return takeInventory({ template, paths, stackName, skippedTypes: await moto.skippedTypes(), ...config });
  }

  const Subnets = [{ Ref: 'Subnet' }];
  const group = {
    MinSize: '1',
    MaxSize: '3',
    HealthCheckType: 'ELB',
    HealthCheckGracePeriod: 120,
    VPCZoneIdentifier: Subnets,
    TargetGroupARNs: [{ Ref: 'Connections' }],
    CapacityRebalance: true,
    LifecycleHookSpecificationList: [
      {
        LifecycleHookName: 'drain',
        LifecycleTransition: 'autoscaling:EC2_INSTANCE_TERMINATING',
        HeartbeatTimeout: 60,
        DefaultResult: 'CONTINUE',
      },
    ],
    MixedInstancesPolicy: {
      InstancesDistribution: {
        OnDemandBaseCapacity: 2,
        OnDemandPercentageAboveBaseCapacity: 50,
        SpotAllocationStrategy: 'price-capacity-optimized',
      },
      LaunchTemplate: {
        LaunchTemplateSpecification: { LaunchTemplateId: { Ref: 'Launch' }, Version: '1' },
        Overrides: [{ InstanceType: 'c7g.large' }, { InstanceType: 'm7g.large' }],
      },
    },
  };
  const policy = (PolicyType: string, rest: object) => ({
    Type: 'AWS::AutoScaling::ScalingPolicy',
    Properties: { AutoScalingGroupName: { Ref: 'Group' }, PolicyType, ...rest },
  });
  const attributes = (given: Record<string, string>) => Object.entries(given).map(([Key, Value]) => ({ Key, Value }));
  const resources: Template['Resources'] = {
    Vpc: { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: '10.0.0.0/16' } },
    Subnet: { Type: 'AWS::EC2::Subnet', Properties: { VpcId: { Ref: 'Vpc' }, CidrBlock: '10.0.1.0/24' } },
    Launch: {
      Type: 'AWS::EC2::LaunchTemplate',
      Properties: { LaunchTemplateData: { ImageId: 'ami-1234abcd', InstanceType: 'c7g.large' } },
    },
    Balancer: {
      Type: 'AWS::ElasticLoadBalancingV2::LoadBalancer',
      Properties: {
        Type: 'network',
        Scheme: 'internal',
        Subnets,
        LoadBalancerAttributes: attributes({ 'load_balancing.cross_zone.enabled': 'true' }),
      },
    },
    Connections: {
      Type: 'AWS::ElasticLoadBalancingV2::TargetGroup',
      Properties: {
        VpcId: { Ref: 'Vpc' },
        Protocol: 'TCP',
        Port: 8080,
        TargetType: 'instance',
        HealthCheckProtocol: 'HTTP',
        HealthCheckPath: '/readyz',
        HealthCheckIntervalSeconds: 5,
        HealthCheckTimeoutSeconds: 4,
        HealthyThresholdCount: 3,
        UnhealthyThresholdCount: 4,
        Matcher: { HttpCode: '200' },
        TargetGroupAttributes: attributes({ 'deregistration_delay.timeout_seconds': '30' }),
      },
    },
    Listener: {
      Type: 'AWS::ElasticLoadBalancingV2::Listener',
      Properties: {
        LoadBalancerArn: { Ref: 'Balancer' },
        Protocol: 'TCP',
        Port: 80,
        DefaultActions: [{ Type: 'forward', TargetGroupArn: { Ref: 'Connections' } }],
      },
    },
    Group: { Type: 'AWS::AutoScaling::AutoScalingGroup', Properties: group },
    Tracking: policy('TargetTrackingScaling', {
      EstimatedInstanceWarmup: 300,
      TargetTrackingConfiguration: {
        PredefinedMetricSpecification: { PredefinedMetricType: 'ASGAverageCPUUtilization' },
        TargetValue: 60,
      },
    }),
    Step: policy('StepScaling', {
      AdjustmentType: 'ChangeInCapacity',
      StepAdjustments: [{ MetricIntervalLowerBound: 0, ScalingAdjustment: 2 }],
    }),
    Predictive: policy('PredictiveScaling', {
      PredictiveScalingConfiguration: {
        Mode: 'ForecastOnly',
        MetricSpecifications: [
          { TargetValue: 60, PredefinedMetricPairSpecification: { PredefinedMetricType: 'ASGCPUUtilization' } },
        ],
      },
    }),
    Morning: {
      Type: 'AWS::AutoScaling::ScheduledAction',
      Properties: {
        AutoScalingGroupName: { Ref: 'Group' },
        MinSize: 4,
        MaxSize: 9,
        Recurrence: '0 7 * * *',
        TimeZone: 'Etc/UTC',
      },
    },
    Cache: {
      Type: 'AWS::ElastiCache::ReplicationGroup',
      Properties: {
        ReplicationGroupDescription: 'Sessions',
        Engine: 'valkey',
        CacheNodeType: 'cache.t4g.small',
        NumCacheClusters: 3,
        Port: 6380,
        MultiAZEnabled: true,
        AutomaticFailoverEnabled: true,
        AtRestEncryptionEnabled: true,
        TransitEncryptionEnabled: true,
        SnapshotRetentionLimit: 7,
      },
    },
    Dead: { Type: 'AWS::SQS::Queue', Properties: { MessageRetentionPeriod: 1_209_600 } },
    Queue: {
      Type: 'AWS::SQS::Queue',
      Properties: {
        MessageRetentionPeriod: 86_400,
        VisibilityTimeout: 60,
        ReceiveMessageWaitTimeSeconds: 20,
        RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': ['Dead', 'Arn'] }, maxReceiveCount: 5 },
      },
    },
  };

  test('matches Auto Scaling groups, load balancers, caches and queues, and detects any single changed value', async () => {
    const rows = await inventory('seen', resources);
    expect(rows.filter(({ verdict }) => verdict !== 'exists')).toEqual([]);
    for (const { path, type, found } of rows.filter((row) => COMPARED.test(row.type))) {
      const properties = resources[path]?.Properties ?? {};
      const undetected = withOneValueChanged(properties)
        .filter(({ at }) => !NOT_COMPARED.test(at))
        .filter(({ changed }) => compareFacts(kinds[type]?.expected(changed) ?? {}, found) !== 'differs')
        .map(({ at }) => at);
      expect({ path, undetected }).toEqual({ path, undetected: [] });
    }
  });

  test('reports missing, different and skipped resources', async () => {
    const vpc = (cidr: string) => ({ Type: 'AWS::EC2::VPC', Properties: { CidrBlock: cidr } });
    const Alarm = { Type: 'AWS::CloudWatch::Alarm', Properties: { MetricName: 'm', Threshold: 1 } };
    const deployed = { Equal: vpc('10.0.0.0/16'), Other: vpc('10.1.0.0/16'), Alarm };
    const expected = { ...deployed, Other: vpc('10.2.0.0/16'), Absent: vpc('10.3.0.0/16') };
    const rows = await inventory('named', deployed, expected, new Map([['Equal', 'Shop/Network/Vpc']]));
    expect(rows.map(({ path, verdict }) => [path, verdict])).toEqual([
      ['Shop/Network/Vpc', 'exists'],
      ['Other', 'differs'],
      ['Alarm', 'skipped'],
      ['Absent', 'missing'],
    ]);
  });

  test('stop() ends the emulator process', async () => {
    await moto.stop();
    expect(() => process.kill(moto.pid, 0)).toThrow('ESRCH');
  });
});

/** Properties that are not compared, or that refer to other resources. */
const NOT_COMPARED =
  /Description|AdjustmentType|LifecycleHookName|LaunchTemplateSpecification|\.(Ref|Fn::GetAtt)|\.Key$/;

/** Returns one copy of the properties per value, with that value changed, and the path of the value. */
function withOneValueChanged(value: unknown, at = ''): { at: string; changed: Properties }[] {
  if (typeof value !== 'object' || value === null) {
    const changed = typeof value === 'number' ? value + 1 : typeof value === 'boolean' ? !value : `${value}0`;
    return [{ at, changed: changed as unknown as Properties }];
  }
  return Object.entries(value).flatMap(([key, inner]) =>
    withOneValueChanged(inner, `${at}.${key}`).map(({ at, changed }) => ({
      at,
      changed: Object.assign(Array.isArray(value) ? [...value] : { ...value }, { [key]: changed }),
    })),
  );
}

test('compareFacts compares the facts that both sides have', () => {
  expect(compareFacts({ size: '500 GiB' }, { size: '500 GiB', state: 'in-use' })).toBe('exists');
  expect(compareFacts({ size: '500 GiB' }, { size: '8 GiB' })).toBe('differs');
  expect(compareFacts({ size: '500 GiB' }, { size: undefined })).toBe('differs');
  expect(compareFacts({ type: 'gp3' }, { type: 'gp2' }, ['type'])).toBe('exists');
  expect(compareFacts({ size: '500 GiB' }, undefined)).toBe('missing');
});

test('emulatorEnv removes the user’s own AWS settings', () => {
  const own = { AWS_PROFILE: 'production', AWS_SESSION_TOKEN: 'token', AWS_ENDPOINT_URL_S3: 'https://s3.example.com' };
  const before = { ...process.env };
  Object.assign(process.env, own, { CDK_DEFAULT_ACCOUNT: '999999999999' });
  try {
    const env = emulatorEnv('http://localhost:5000');
    for (const name of [...Object.keys(own), 'CDK_DEFAULT_ACCOUNT']) expect(env[name]).toBeUndefined();
    expect(env.AWS_ENDPOINT_URL).toBe('http://localhost:5000');
    expect(env.AWS_ACCESS_KEY_ID).toBe('emulator');
  } finally {
    process.env = before;
  }
});
