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
import type { PhaseNumber, ResourceSpec, Tier } from './limits';

/** A resource with metrics. */
export interface Resource {
  readonly tier: Tier;
  /** Display name. */
  readonly name: string;
  /** Dimensions of its metrics. `dimensionsOf` overrides them by metric name. */
  readonly dimensions: Readonly<Record<string, string>>;
  readonly dimensionsOf?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly spec: ResourceSpec;
  /** Region of its metrics. @default the stack's region */
  readonly region?: string;
}

export interface RunningStack {
  /** From the output `Phase`; undefined for other stacks. */
  readonly phase: PhaseNumber | undefined;
  readonly resources: readonly Resource[];
}

/**
 * Lists the resources of a stack, and the sizes of its databases and caches.
 *
 * @param machines table with vCPUs and memory of instance types
 * @throws UsageError when the stack does not exist
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
    const created = found.filter(({ PhysicalResourceId }) => PhysicalResourceId);
    const databases = await databasesOf(idsOf(created, 'AWS::RDS::DBInstance'), region, machines);
    const caches = await cachesOf(idsOf(created, 'AWS::ElastiCache::ReplicationGroup'), region, machines);
    return { phase, resources: [...created.flatMap((one) => simpleResource(one, created)), ...databases, ...caches] };
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
      throw new UsageError(`--stack must be a stack in this account and region, got ${stackName}.`);
    }
    throw error;
  }
}

function idsOf(found: readonly StackResourceSummary[], type: string): string[] {
  return found.filter(({ ResourceType }) => ResourceType === type).map((one) => one.PhysicalResourceId as string);
}

/** Resources that need no further API call. */
function simpleResource(one: StackResourceSummary, all: readonly StackResourceSummary[]): Resource[] {
  const id = one.PhysicalResourceId as string;
  const logical = one.LogicalResourceId ?? '';
  const make = (tier: Tier, dimensions: Record<string, string>, more: Partial<Resource> = {}): Resource[] => [
    { tier, name: logical, dimensions, spec: {}, ...more },
  ];
  switch (one.ResourceType) {
    case 'AWS::EC2::Instance': {
      const disk = { InstanceId: id, path: '/data', fstype: 'xfs' };
      return make('box', { InstanceId: id }, { dimensionsOf: { disk_used_percent: disk } });
    }
    case 'AWS::AutoScaling::AutoScalingGroup':
      // Workers run at full CPU while there are jobs. Their limit is the age of the oldest job.
      return /worker/i.test(logical) ? [] : make('servers', { AutoScalingGroupName: id });
    case 'AWS::ElasticLoadBalancingV2::LoadBalancer':
      return balancerOf(id, logical, all);
    case 'AWS::SQS::Queue':
      // Messages in a dead-letter queue age by design.
      return /dead|dlq/i.test(logical) ? [] : make('queue', { QueueName: id.split('/').at(-1) as string });
    case 'AWS::EC2::Volume':
      return make('volume', { VolumeId: id });
    case 'AWS::CloudFront::Distribution':
      // CloudFront publishes metrics in us-east-1 only.
      return make('edge', { DistributionId: id, Region: 'Global' }, { region: 'us-east-1' });
    case 'AWS::EC2::NatGateway':
      return make('network', { NatGatewayId: id });
    case 'AWS::RDS::DBProxy':
      return make('proxy', { ProxyName: id });
    default:
      return [];
  }
}

/** An Application Load Balancer with its target group. An NLB has no request metrics. */
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
  return [{ tier: 'balancer', name, dimensions: { LoadBalancer }, dimensionsOf, spec: {} }];
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
        spec: specOf(one.DBInstanceClass, machines),
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
          spec: specOf(CacheNodeType, machines),
        })),
      ),
    );
  } finally {
    client.destroy();
  }
}

/** Specification of an RDS class or ElastiCache node type, from the EC2 type of the same name. */
export function specOf(type: string | undefined, machines: PriceTable): ResourceSpec {
  const machine = type === undefined ? undefined : machines.machine(type.replace(/^(db|cache)\./, ''));
  return machine ? { vcpus: machine.vcpus, memoryBytes: machine.memoryGib * 1024 ** 3 } : {};
}
