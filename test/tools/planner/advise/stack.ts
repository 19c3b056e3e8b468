/** A minimal template with the resources whose metrics `advise` reads in a phase, quick to create in the emulator. */
export function stackOf(phase: 1 | 2 | 3 | 4): string {
  const resources = {
    ...NETWORK,
    ...(phase <= 2 ? BOX : FLEET),
    ...(phase >= 2 ? DATABASE : {}),
    ...(phase >= 3 ? CACHE_AND_REPLICA : {}),
    ...(phase === 4 ? QUEUE_AND_WORKERS : {}),
  };
  return JSON.stringify({ Resources: resources, Outputs: { Phase: { Value: String(phase) } } });
}

const subnet = (CidrBlock: string, zone: string) => ({
  Type: 'AWS::EC2::Subnet',
  Properties: { VpcId: { Ref: 'Vpc' }, CidrBlock, AvailabilityZone: `us-east-1${zone}` },
});

const NETWORK = {
  Vpc: { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: '10.0.0.0/16' } },
  SubnetA: subnet('10.0.0.0/24', 'a'),
  SubnetB: subnet('10.0.1.0/24', 'b'),
};

const BOX = {
  Box: { Type: 'AWS::EC2::Instance', Properties: { ImageId: 'ami-12c6146b', InstanceType: 't4g.medium' } },
  Data: { Type: 'AWS::EC2::Volume', Properties: { AvailabilityZone: 'us-east-1a', Size: '8', VolumeType: 'gp2' } },
};

const group = (more: object) => ({
  Type: 'AWS::AutoScaling::AutoScalingGroup',
  Properties: {
    MinSize: '1',
    MaxSize: '2',
    LaunchTemplate: { LaunchTemplateId: { Ref: 'LaunchTemplate' }, Version: '1' },
    VPCZoneIdentifier: [{ Ref: 'SubnetA' }],
    ...more,
  },
});

const FLEET = {
  LaunchTemplate: {
    Type: 'AWS::EC2::LaunchTemplate',
    Properties: { LaunchTemplateData: { ImageId: 'ami-12c6146b', InstanceType: 'c7g.large' } },
  },
  Fleet: group({}),
  LoadBalancer: {
    Type: 'AWS::ElasticLoadBalancingV2::LoadBalancer',
    Properties: { Type: 'application', Subnets: [{ Ref: 'SubnetA' }, { Ref: 'SubnetB' }] },
  },
  Servers: {
    Type: 'AWS::ElasticLoadBalancingV2::TargetGroup',
    Properties: { Port: 8080, Protocol: 'HTTP', VpcId: { Ref: 'Vpc' } },
  },
};

const database = (more: object) => ({
  Type: 'AWS::RDS::DBInstance',
  Properties: { Engine: 'postgres', DBInstanceClass: 'db.m7g.large', ...more },
});

const DATABASE = {
  Database: database({ MasterUsername: 'shop', MasterUserPassword: 'only-in-moto', AllocatedStorage: '100' }),
};

const CACHE_AND_REPLICA = {
  Replica: database({ SourceDBInstanceIdentifier: { Ref: 'Database' } }),
  Cache: {
    Type: 'AWS::ElastiCache::ReplicationGroup',
    Properties: {
      ReplicationGroupDescription: 'Sessions',
      CacheNodeType: 'cache.t4g.small',
      Engine: 'redis',
      Port: 6379,
      NumCacheClusters: 2,
      AutomaticFailoverEnabled: true,
    },
  },
};

const QUEUE_AND_WORKERS = {
  Jobs: { Type: 'AWS::SQS::Queue' },
  DeadLetters: { Type: 'AWS::SQS::Queue' },
  Workers: group({}),
};
