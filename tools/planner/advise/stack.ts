import {
  CloudFormationClient,
  DescribeStacksCommand,
  paginateListStackResources,
  type StackResourceSummary,
} from '@aws-sdk/client-cloudformation';
import { DescribeReplicationGroupsCommand, ElastiCacheClient } from '@aws-sdk/client-elasticache';
import { DescribeDBInstancesCommand, RDSClient } from '@aws-sdk/client-rds';
import { UsageError } from '../../support/usage-error';
import type { PriceTable } from '../prices/table';
import type { Limits, PhaseNumber, Tier } from './walls';

/** Something that walls are watched at. */
export interface Resource {
  readonly tier: Tier;
  /** Its name for people. */
  readonly name: string;
  /** Dimensions of its metrics. Those of the host's own metrics may need more, by the name of the metric. */
  readonly dimensions: Readonly<Record<string, string>>;
  readonly dimensionsOf?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly limits: Limits;
  /** Where its metrics are. @default the stack's region */
  readonly region?: string;
}

export interface RunningStack {
  /** By its output `Phase`; undefined for a stack that is not of this project. */
  readonly phase: PhaseNumber | undefined;
  readonly resources: readonly Resource[];
}

/**
 * Finds what a stack consists of, and how big its databases and caches are.
 *
 * @param machines knows vCPUs and memory of instance types
 * @throws UsageError when there is no such stack
 */
export async function readStack(
  stackName: string,
  region: string | undefined,
  machines: PriceTable,
): Promise<RunningStack> {
  const client = new CloudFormationClient({ region });
  try {
    const phase = await phaseOf(client, stackName);
    const found: StackResourceSummary[] = [];
    for await (const page of paginateListStackResources({ client }, { StackName: stackName })) {
      found.push(...(page.StackResourceSummaries ?? []));
    }
    const there = found.filter(({ PhysicalResourceId }) => PhysicalResourceId);
    const databases = await databasesOf(idsOf(there, 'AWS::RDS::DBInstance'), region, machines);
    const caches = await cachesOf(idsOf(there, 'AWS::ElastiCache::ReplicationGroup'), region, machines);
    return { phase, resources: [...there.flatMap((one) => simpleResource(one, there)), ...databases, ...caches] };
  } finally {
    client.destroy();
  }
}

async function phaseOf(client: CloudFormationClient, stackName: string): Promise<PhaseNumber | undefined> {
  try {
    const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: stackName }));
    const value = Stacks?.[0]?.Outputs?.find(({ OutputKey }) => OutputKey === 'Phase')?.OutputValue;
    return [1, 2, 3, 4, 5].find((phase) => String(phase) === value) as PhaseNumber | undefined;
  } catch (error) {
    if (/does not exist/.test((error as Error).message)) {
      throw new UsageError(`--stack ${stackName}: there is no such stack in this account and region`);
    }
    throw error;
  }
}

function idsOf(found: readonly StackResourceSummary[], type: string): string[] {
  return found.filter(({ ResourceType }) => ResourceType === type).map((one) => one.PhysicalResourceId as string);
}

/** What its ids alone tell enough of. */
function simpleResource(one: StackResourceSummary, all: readonly StackResourceSummary[]): Resource[] {
  const id = one.PhysicalResourceId as string;
  const logical = one.LogicalResourceId ?? '';
  const make = (tier: Tier, dimensions: Record<string, string>, more: Partial<Resource> = {}): Resource[] => [
    { tier, name: logical, dimensions, limits: {}, ...more },
  ];
  switch (one.ResourceType) {
    case 'AWS::EC2::Instance': {
      const disk = { InstanceId: id, path: '/data', fstype: 'xfs' };
      return make('box', { InstanceId: id }, { dimensionsOf: { disk_used_percent: disk } });
    }
    case 'AWS::AutoScaling::AutoScalingGroup':
      // Workers are as busy as they can be while there are jobs: their wall is the age of the oldest job.
      return /worker/i.test(logical) ? [] : make('servers', { AutoScalingGroupName: id });
    case 'AWS::ElasticLoadBalancingV2::LoadBalancer':
      return balancerOf(id, logical, all);
    case 'AWS::SQS::Queue':
      // What nobody could finish grows old by design.
      return /dead|dlq/i.test(logical) ? [] : make('queue', { QueueName: id.split('/').at(-1) as string });
    case 'AWS::EC2::Volume':
      return make('volume', { VolumeId: id });
    case 'AWS::CloudFront::Distribution':
      // It is everywhere, and its metrics are in one place.
      return make('edge', { DistributionId: id, Region: 'Global' }, { region: 'us-east-1' });
    case 'AWS::EC2::NatGateway':
      return make('network', { NatGatewayId: id });
    case 'AWS::RDS::DBProxy':
      return make('proxy', { ProxyName: id });
    default:
      return [];
  }
}

/** A balancer with its target group; layer 4 knows nothing of requests. */
function balancerOf(arn: string, name: string, all: readonly StackResourceSummary[]): Resource[] {
  const LoadBalancer = arn.split(':loadbalancer/')[1];
  if (!LoadBalancer?.startsWith('app/')) return [];
  const [target] = idsOf(all, 'AWS::ElasticLoadBalancingV2::TargetGroup');
  const TargetGroup = target?.split(':').at(-1);
  const behind: Record<string, string> = TargetGroup ? { LoadBalancer, TargetGroup } : { LoadBalancer };
  const dimensionsOf = {
    HTTPCode_Target_5XX_Count: behind,
    TargetConnectionErrorCount: behind,
    TargetResponseTime: behind,
    UnHealthyHostCount: behind,
  };
  return [{ tier: 'balancer', name, dimensions: { LoadBalancer }, dimensionsOf, limits: {} }];
}

async function databasesOf(
  ids: readonly string[],
  region: string | undefined,
  machines: PriceTable,
): Promise<Resource[]> {
  if (ids.length === 0) return [];
  const client = new RDSClient({ region });
  try {
    const databases = await Promise.all(
      ids.map((id) => client.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: id }))),
    );
    return databases.flatMap(({ DBInstances = [] }) =>
      DBInstances.map((one) => ({
        tier: one.ReadReplicaSourceDBInstanceIdentifier ? ('replicas' as const) : ('database' as const),
        name: one.DBInstanceIdentifier as string,
        dimensions: { DBInstanceIdentifier: one.DBInstanceIdentifier as string },
        limits: limitsOf(one.DBInstanceClass, machines),
      })),
    );
  } finally {
    client.destroy();
  }
}

async function cachesOf(ids: readonly string[], region: string | undefined, machines: PriceTable): Promise<Resource[]> {
  if (ids.length === 0) return [];
  const client = new ElastiCacheClient({ region });
  try {
    const groups = await Promise.all(
      ids.map((ReplicationGroupId) => client.send(new DescribeReplicationGroupsCommand({ ReplicationGroupId }))),
    );
    return groups.flatMap(({ ReplicationGroups = [] }) =>
      ReplicationGroups.flatMap(({ MemberClusters = [], CacheNodeType }) =>
        MemberClusters.map((node) => ({
          tier: 'cache' as const,
          name: node,
          dimensions: { CacheClusterId: node },
          limits: limitsOf(CacheNodeType, machines),
        })),
      ),
    );
  } finally {
    client.destroy();
  }
}

/** vCPUs and memory of `db.m7g.large` and `cache.t4g.small` are those of the EC2 type of that name. */
export function limitsOf(type: string | undefined, machines: PriceTable): Limits {
  const machine = type === undefined ? undefined : machines.machine(type.replace(/^(db|cache)\./, ''));
  return machine ? { vcpus: machine.vcpus, memoryBytes: machine.memoryGib * 1024 ** 3 } : {};
}
