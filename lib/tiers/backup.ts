import { Aws, Duration, Fn, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { BackupPlan, BackupPlanRule, BackupResource, BackupVault } from 'aws-cdk-lib/aws-backup';
import { Schedule } from 'aws-cdk-lib/aws-events';
import { ManagedPolicy, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';

export interface BackupProps {
  /** Key that encrypts the vault. */
  readonly encryptionKey: IKey;

  /**
   * How long a recovery point is kept, in whole days.
   *
   * @default Duration.days(35)
   */
  readonly retention?: Duration;
}

/**
 * A daily backup (03:00 UTC) of everything that is put under its protection, in a vault that outlives the stack.
 *
 *     const backup = new Backup(this, 'Backup', { encryptionKey: stateKey.key });
 *     backup.addSelection('DataVolume', box.dataVolumeArn);
 *
 * A snapshot of a volume is crash-consistent: PostgreSQL starts from it as after a power cut.
 *
 * Each resource gets a selection of its own, because a selection cannot be changed, only replaced.
 */
export class Backup extends Construct {
  readonly vault: BackupVault;
  private readonly plan: BackupPlan;
  private readonly role: Role;

  constructor(scope: Construct, id: string, props: BackupProps) {
    super(scope, id);

    this.vault = new BackupVault(this, 'Vault', {
      // CloudFormation generates no name for a vault. One taken from the stack's id is free again after a delete and a
      // new deploy, although the old vault is still there.
      backupVaultName: `backup-${Fn.select(2, Fn.split('/', Aws.STACK_ID))}`,
      encryptionKey: props.encryptionKey,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    this.plan = new BackupPlan(this, 'Plan', {
      backupPlanName: 'daily',
      backupVault: this.vault,
      backupPlanRules: [
        new BackupPlanRule({
          ruleName: 'daily',
          scheduleExpression: Schedule.cron({ hour: '3', minute: '0' }),
          startWindow: Duration.hours(1),
          completionWindow: Duration.hours(8),
          deleteAfter: props.retention ?? Duration.days(35),
        }),
      ],
    });
    this.role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('backup.amazonaws.com'),
      managedPolicies: [ManagedPolicy.fromAwsManagedPolicyName('service-role/AWSBackupServiceRolePolicyForBackup')],
    });
    Validations.of(this.role).acknowledge({
      id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup]',
      reason: 'The policy that AWS Backup documents for its service role; AWS extends it as resource types are added.',
    });
  }

  /** Puts the resource with this ARN (a volume, a database instance) under the daily backup. */
  addSelection(id: string, arn: string): void {
    // The role has its rights already: `disableDefaultBackupPolicy` keeps CDK from attaching them a second time.
    this.plan.addSelection(id, {
      resources: [BackupResource.fromArn(arn)],
      role: this.role,
      disableDefaultBackupPolicy: true,
    });
  }
}
