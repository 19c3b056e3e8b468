/** What an update of a property does to the resource. */
export interface UpdateBehavior {
  /**
   * - `none`: nothing that anybody notices
   * - `interruption`: the same resource, away or slow for a while
   * - `loss`: the same resource, without something that it held
   * - `refused`: the deploy fails and rolls back
   */
  readonly effect: 'none' | 'interruption' | 'loss' | 'refused';
  readonly why: string;
  /** Page that says so. */
  readonly source: string;
  /**
   * Whether it applies to this change.
   *
   * @default - always
   */
  readonly when?: (before: unknown, after: unknown) => boolean;
}

const REFERENCE = 'https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference';
const INSTANCE = `${REFERENCE}/aws-resource-ec2-instance.html`;
const VOLUME = `${REFERENCE}/aws-resource-ec2-volume.html`;
const DATABASE = `${REFERENCE}/aws-resource-rds-dbinstance.html`;
const KEY = `${REFERENCE}/aws-resource-kms-key.html`;
const SECRET = `${REFERENCE}/aws-resource-secretsmanager-secret.html`;
const MULTI_AZ = 'https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.MultiAZ.Migrating.html';

const smaller = (before: unknown, after: unknown) => Number(after) < Number(before);
const off = (_: unknown, after: unknown) => after === false || after === 'false';

const some = (source: string, why: string): UpdateBehavior => ({ effect: 'interruption', why, source });
const fixed = (source: string, why: string, when?: UpdateBehavior['when']): UpdateBehavior => ({
  effect: 'refused',
  why,
  source,
  when,
});
const loss = (source: string, why: string, when?: UpdateBehavior['when']): UpdateBehavior => ({
  effect: 'loss',
  why,
  source,
  when,
});

const KEY_IS_FIXED = fixed(KEY, 'fixed for the life of a key: the update request fails');
const VOLUME_IS_FIXED = fixed(VOLUME, 'fixed for the life of a volume');

/**
 * What CloudFormation's schema does not say: it knows replacement, perhaps replacement, and neither. For these properties its
 * documentation says more. The first behaviour whose condition holds is the one.
 */
export const updateBehaviors: Readonly<Record<string, Readonly<Record<string, readonly UpdateBehavior[]>>>> = {
  'AWS::EC2::Instance': {
    InstanceType: [some(INSTANCE, 'stopped and started: the same instance, volumes and address')],
    UserData: [some(INSTANCE, 'stopped and started')],
    SecurityGroupIds: [{ effect: 'none', why: 'in a VPC they change while it runs', source: INSTANCE }],
  },
  'AWS::EC2::Volume': {
    AvailabilityZone: [VOLUME_IS_FIXED],
    Encrypted: [VOLUME_IS_FIXED],
    KmsKeyId: [VOLUME_IS_FIXED],
    SnapshotId: [VOLUME_IS_FIXED],
    Size: [
      fixed(VOLUME, 'a volume cannot shrink', smaller),
      { effect: 'none', why: 'grows while it is used; one change in 6 hours', source: VOLUME },
    ],
  },
  'AWS::RDS::DBInstance': {
    AllocatedStorage: [fixed(DATABASE, 'storage cannot shrink', smaller)],
    AutoMinorVersionUpgrade: [some(DATABASE, 'at most some interruption')],
    BackupRetentionPeriod: [
      loss(DATABASE, '0 ends automated backups', (_, after) => Number(after) === 0),
      some(DATABASE, 'some interruption'),
    ],
    DBInstanceClass: [some(DATABASE, 'moves to another machine: with a standby a failover, else minutes')],
    DBParameterGroupName: [some(DATABASE, 'a restart')],
    EngineVersion: [some(DATABASE, 'an upgrade of the engine')],
    MultiAZ: [some(MULTI_AZ, 'no downtime, but slower while the standby is filled')],
    PreferredMaintenanceWindow: [some(DATABASE, 'at most some interruption')],
    StorageType: [some(DATABASE, 'slower while the storage is changed')],
  },
  'AWS::KMS::Key': {
    Enabled: [loss(KEY, 'what it has encrypted cannot be read', off)],
    KeySpec: [KEY_IS_FIXED],
    KeyUsage: [KEY_IS_FIXED],
    MultiRegion: [KEY_IS_FIXED],
    Origin: [KEY_IS_FIXED],
  },
  'AWS::Logs::LogGroup': {
    RetentionInDays: [loss(`${REFERENCE}/aws-resource-logs-loggroup.html`, 'older events are deleted', smaller)],
  },
  'AWS::Route53::RecordSet': {
    AliasTarget: [
      {
        effect: 'none',
        why: 'visitors move as the old answer runs out where it is cached',
        source: `${REFERENCE}/aws-resource-route53-recordset.html`,
      },
    ],
  },
  'AWS::SecretsManager::Secret': {
    GenerateSecretString: [loss(SECRET, 'any change makes a new value')],
    SecretString: [loss(SECRET, 'another value')],
  },
};
