import { Aws, Fn, Validations } from 'aws-cdk-lib';
import { CfnRestoreTestingPlan, CfnRestoreTestingSelection } from 'aws-cdk-lib/aws-backup';
import { ManagedPolicy, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';

export interface RestoreTestingProps {
  /** ARN of the backup vault whose recovery points are tested. */
  readonly vaultArn: string;

  /**
   * AWS cron expression with six fields.
   *
   * @default 'cron(0 7 ? * SUN *)' (Sundays at 07:00)
   */
  readonly schedule?: string;

  /**
   * IANA time zone of `schedule`.
   *
   * @default 'Etc/UTC'
   */
  readonly timeZone?: string;
}

/**
 * An AWS Backup restore testing plan: restores the latest recovery point once a week, records the result and the duration,
 * and deletes the restored copy.
 *
 *     const restoreTesting = new RestoreTesting(this, 'RestoreTesting', { vaultArn: backup.vault.backupVaultArn });
 *     restoreTesting.addSelection('Database', 'RDS', database.instance.instanceArn, { dbSubnetGroupName: subnetGroup });
 *
 * A selection has exactly one resource type. Without `dbSubnetGroupName` a database is restored into the default VPC.
 *
 * Billed: each test, and the restored copy while it exists.
 *
 * @see https://docs.aws.amazon.com/aws-backup/latest/devguide/restore-testing.html
 */
export class RestoreTesting extends Construct {
  private readonly plan: CfnRestoreTestingPlan;
  private readonly role: Role;

  constructor(scope: Construct, id: string, props: RestoreTestingProps) {
    super(scope, id);

    this.plan = new CfnRestoreTestingPlan(this, 'Plan', {
      // The name is required, must be unique in the account, and allows no dashes.
      restoreTestingPlanName: `restore_${Fn.join('_', Fn.split('-', Fn.select(2, Fn.split('/', Aws.STACK_ID))))}`,
      scheduleExpression: props.schedule ?? 'cron(0 7 ? * SUN *)',
      scheduleExpressionTimezone: props.timeZone ?? 'Etc/UTC',
      startWindowHours: 4,
      recoveryPointSelection: {
        algorithm: 'LATEST_WITHIN_WINDOW',
        includeVaults: [props.vaultArn],
        recoveryPointTypes: ['SNAPSHOT'],
        selectionWindowDays: 7,
      },
    });
    this.role = this.makeRole();
  }

  /**
   * Adds a resource to the restore test.
   *
   * @param metadata overrides of the restore metadata that AWS Backup documents for the resource type
   */
  addSelection(
    id: string,
    resourceType: 'RDS' | 'EBS',
    arn: string,
    metadata?: Readonly<Record<string, string>>,
  ): void {
    new CfnRestoreTestingSelection(this, id, {
      restoreTestingPlanName: this.plan.ref,
      restoreTestingSelectionName: id,
      protectedResourceType: resourceType,
      protectedResourceArns: [arn],
      iamRoleArn: this.role.roleArn,
      restoreMetadataOverrides: metadata,
      validationWindowHours: 1,
    });
  }

  private makeRole(): Role {
    const policy = 'service-role/AWSBackupServiceRolePolicyForRestores';
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('backup.amazonaws.com'),
      managedPolicies: [ManagedPolicy.fromAwsManagedPolicyName(policy)],
    });
    Validations.of(role).acknowledge({
      id: `AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/${policy}]`,
      reason: 'The managed policy that AWS Backup documents for restores. AWS extends it for new resource types.',
    });
    return role;
  }
}
