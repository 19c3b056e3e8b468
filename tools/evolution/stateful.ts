import type { TemplateResource } from '../cloudformation/template';

/**
 * Types that hold what nobody can make again, or that such a thing cannot do without: its network, its key, its secret. Those
 * that the CDK counts as stateful, and the network, machines that stand alone, and what else stores.
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

/** Whether the resource, as it is deployed, holds state. A read replica does not: its source has all that it has. */
export function isStateful({ Type, Properties = {} }: TemplateResource): boolean {
  return TYPES.has(Type) && Properties.SourceDBInstanceIdentifier === undefined;
}

/** What becomes of the physical resource when the template lets it go. */
export type Disposition = 'deleted' | 'deleted after a snapshot' | 'kept outside of the stack';

const DISPOSITIONS: Readonly<Record<string, Disposition>> = {
  Delete: 'deleted',
  Snapshot: 'deleted after a snapshot',
  Retain: 'kept outside of the stack',
  RetainExceptOnCreate: 'kept outside of the stack',
};

/**
 * The policy that holds when a resource leaves the template, or is replaced.
 *
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
 */
export function policyOf(resource: TemplateResource, attribute: 'DeletionPolicy' | 'UpdateReplacePolicy'): string {
  const { Type, Properties = {} } = resource;
  // RDS takes no notice of a policy of a replica.
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

/** How much of the data outlives a policy: the higher, the more. */
export function retentionRank(policy: string): number {
  return ['deleted', 'deleted after a snapshot', 'kept outside of the stack'].indexOf(dispositionOf(policy));
}

/** Properties by which a service refuses to delete, whatever the template says. */
export const PROTECTIONS: readonly string[] = ['DeletionProtection', 'DeletionProtectionEnabled'];
