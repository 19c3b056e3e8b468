import { Aws, Duration, Fn, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { BackupPlan, BackupPlanRule, BackupResource, BackupVault } from 'aws-cdk-lib/aws-backup';
import { Schedule } from 'aws-cdk-lib/aws-events';
import { ManagedPolicy, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';

export interface BackupProps {
  /** KMS key that encrypts the vault. */
  readonly encryptionKey: IKey;

  /**
   * Retention of a recovery point, in whole days.
   *
   * @default Duration.days(35)
   */
  readonly retention?: Duration;
}

/**
 * A daily AWS Backup plan (03:00 UTC). Its vault is retained when the stack is deleted.
 *
 *     const backup = new Backup(this, 'Backup', { encryptionKey: stateKey.key });
 *     backup.addSelection('DataVolume', box.dataVolumeArn);
 *
 * Snapshots of a volume are crash-consistent: PostgreSQL starts from one with its usual crash recovery.
 *
 * Each resource has a separate backup selection, because CloudFormation replaces a selection that changes.
 *
 * Fixed cost: none; billed by usage (`npm run cost -- phase-4 --rps 100`).
 */
export class Backup extends Construct {
  readonly vault: BackupVault;
  private readonly plan: BackupPlan;
  private readonly role: Role;

  constructor(scope: Construct, id: string, props: BackupProps) {
    super(scope, id);

    this.vault = new BackupVault(this, 'Vault', {
      // CloudFormation generates no vault names. A name from the stack's id does not collide with the retained vault of
      // a deleted stack.
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
      reason:
        'The managed policy that AWS Backup documents for its service role. AWS extends it for new resource types.',
    });
  }

  /** Adds a resource, such as a volume or a database instance, to the daily backup. */
  addSelection(id: string, arn: string): void {
    // The role already has the managed policy. Without `disableDefaultBackupPolicy` CDK would attach it twice.
    this.plan.addSelection(id, {
      resources: [BackupResource.fromArn(arn)],
      role: this.role,
      disableDefaultBackupPolicy: true,
    });
  }
}
