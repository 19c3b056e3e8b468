import type { TemplateResource } from '../cloudformation/template';

/**
 * Resource types that hold irreplaceable data, or that such data depends on: network, keys and secrets. Includes the types that the
 * CDK treats as stateful, plus VPCs, subnets, standalone instances and other storage.
 */
const TYPES = new Set([
  'AWS::Backup::BackupVault',
  'AWS::CloudFormation::Stack',
  'AWS::Cognito::UserPool',
  'AWS::DocDB::DBCluster',
  'AWS::DocDB::DBInstance',
  'AWS::DynamoDB::GlobalTable',
  'AWS::DynamoDB::Table',
  'AWS::EC2::Instance',
  'AWS::EC2::Subnet',
  'AWS::EC2::VPC',
  'AWS::EC2::Volume',
  'AWS::ECR::Repository',
  'AWS::EFS::FileSystem',
  'AWS::EMR::Cluster',
  'AWS::ElastiCache::CacheCluster',
  'AWS::ElastiCache::ReplicationGroup',
  'AWS::ElastiCache::ServerlessCache',
  'AWS::Elasticsearch::Domain',
  'AWS::FSx::FileSystem',
  'AWS::KMS::Key',
  'AWS::Kinesis::Stream',
  'AWS::Logs::LogGroup',
  'AWS::MSK::Cluster',
  'AWS::MemoryDB::Cluster',
  'AWS::Neptune::DBCluster',
  'AWS::Neptune::DBInstance',
  'AWS::OpenSearchService::Domain',
  'AWS::Organizations::Account',
  'AWS::QLDB::Ledger',
  'AWS::RDS::DBCluster',
  'AWS::RDS::DBInstance',
  'AWS::RDS::GlobalCluster',
  'AWS::Redshift::Cluster',
  'AWS::S3::Bucket',
  'AWS::SDB::Domain',
  'AWS::SQS::Queue',
  'AWS::SecretsManager::Secret',
]);

/** Whether the resource holds state. A read replica does not, because its source has the same data. */
export function isStateful({ Type, Properties = {} }: TemplateResource): boolean {
  return TYPES.has(Type) && Properties.SourceDBInstanceIdentifier === undefined;
}

/** What happens to the physical resource when it is removed from the template or replaced. */
export type Disposition = 'deleted' | 'deleted after a snapshot' | 'retained outside the stack';

const DISPOSITIONS: Readonly<Record<string, Disposition>> = {
  Delete: 'deleted',
  Snapshot: 'deleted after a snapshot',
  Retain: 'retained outside the stack',
  RetainExceptOnCreate: 'retained outside the stack',
};

/**
 * Returns the policy that applies when a resource is removed from the template or replaced.
 *
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
 */
export function policyOf(resource: TemplateResource, attribute: 'DeletionPolicy' | 'UpdateReplacePolicy'): string {
  const { Type, Properties = {} } = resource;
  // RDS ignores the policy of a read replica.
  if (Properties.SourceDBInstanceIdentifier !== undefined) return 'Delete';
  const byDefault =
    attribute === 'DeletionPolicy' &&
    (Type === 'AWS::RDS::DBCluster' || (Type === 'AWS::RDS::DBInstance' && !Properties.DBClusterIdentifier))
      ? 'Snapshot'
      : 'Delete';
  return resource[attribute] ?? byDefault;
}

export function dispositionOf(policy: string): Disposition {
  return DISPOSITIONS[policy] ?? 'deleted';
}

/** Ranks policies by how much data they retain. Higher retains more. */
export function retentionRank(policy: string): number {
  return ['deleted', 'deleted after a snapshot', 'retained outside the stack'].indexOf(dispositionOf(policy));
}

/** Properties that make a service reject a deletion. */
export const PROTECTIONS: readonly string[] = ['DeletionProtection', 'DeletionProtectionEnabled'];
