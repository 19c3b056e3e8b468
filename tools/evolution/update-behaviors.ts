/** Effect of a property update on the resource. */
export interface UpdateBehavior {
  /**
   * - `none`: no interruption
   * - `interruption`: the resource is down or slow for some time
   * - `loss`: the resource loses data
   * - `refused`: the deploy fails and rolls back
   */
  readonly effect: 'none' | 'interruption' | 'loss' | 'refused';
  readonly why: string;
  /** Documentation page. */
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

const interruption = (source: string, why: string): UpdateBehavior => ({ effect: 'interruption', why, source });
const refused = (source: string, why: string, when?: UpdateBehavior['when']): UpdateBehavior => ({
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

const IMMUTABLE_KEY = refused(KEY, 'immutable: the update request fails');
const IMMUTABLE_VOLUME = refused(VOLUME, 'immutable');

/**
 * Update behaviors that the documentation describes but CloudFormation's schema does not: the schema only has replacement,
 * conditional replacement, and no replacement. The first entry whose condition holds applies.
 */
export const updateBehaviors: Readonly<Record<string, Readonly<Record<string, readonly UpdateBehavior[]>>>> = {
  'AWS::EC2::Instance': {
    InstanceType: [interruption(INSTANCE, 'stopped and started; keeps its id, volumes and address')],
    UserData: [interruption(INSTANCE, 'stopped and started')],
    SecurityGroupIds: [{ effect: 'none', why: 'in a VPC, changed while the instance runs', source: INSTANCE }],
  },
  'AWS::EC2::Volume': {
    AvailabilityZone: [IMMUTABLE_VOLUME],
    Encrypted: [IMMUTABLE_VOLUME],
    KmsKeyId: [IMMUTABLE_VOLUME],
    SnapshotId: [IMMUTABLE_VOLUME],
    Size: [
      refused(VOLUME, 'a volume cannot shrink', smaller),
      { effect: 'none', why: 'grows while in use; one modification per 6 hours', source: VOLUME },
    ],
  },
  'AWS::RDS::DBInstance': {
    AllocatedStorage: [refused(DATABASE, 'storage cannot shrink', smaller)],
    AutoMinorVersionUpgrade: [interruption(DATABASE, 'some interruptions possible')],
    BackupRetentionPeriod: [
      loss(DATABASE, '0 disables automated backups', (_, after) => Number(after) === 0),
      interruption(DATABASE, 'some interruptions'),
    ],
    DBInstanceClass: [interruption(DATABASE, 'a failover with a standby, otherwise minutes of downtime')],
    DBParameterGroupName: [interruption(DATABASE, 'a reboot')],
    EngineVersion: [interruption(DATABASE, 'an engine upgrade')],
    MultiAZ: [interruption(MULTI_AZ, 'no downtime, but higher latency while the standby is created')],
    PreferredMaintenanceWindow: [interruption(DATABASE, 'some interruptions possible')],
    StorageType: [interruption(DATABASE, 'higher latency while the storage is modified')],
  },
  'AWS::KMS::Key': {
    Enabled: [loss(KEY, 'data encrypted with it cannot be decrypted', off)],
    KeySpec: [IMMUTABLE_KEY],
    KeyUsage: [IMMUTABLE_KEY],
    MultiRegion: [IMMUTABLE_KEY],
    Origin: [IMMUTABLE_KEY],
  },
  'AWS::Logs::LogGroup': {
    RetentionInDays: [loss(`${REFERENCE}/aws-resource-logs-loggroup.html`, 'older events are deleted', smaller)],
  },
  'AWS::Route53::RecordSet': {
    AliasTarget: [
      {
        effect: 'none',
        why: 'clients follow as cached DNS answers expire',
        source: `${REFERENCE}/aws-resource-route53-recordset.html`,
      },
    ],
  },
  'AWS::SecretsManager::Secret': {
    GenerateSecretString: [loss(SECRET, 'any change generates a new value')],
    SecretString: [loss(SECRET, 'new value')],
  },
};
