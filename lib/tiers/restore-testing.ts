import { Aws, Fn, Validations } from 'aws-cdk-lib';
import { CfnRestoreTestingPlan, CfnRestoreTestingSelection } from 'aws-cdk-lib/aws-backup';
import { ManagedPolicy, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';

export interface RestoreTestingProps {
  /** Vault whose recovery points are tried. */
  readonly vaultArn: string;

  /**
   * When, as an AWS cron expression of six fields.
   *
   * @default 'cron(0 7 ? * SUN *)': Sundays at seven
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
 * Restores the newest backup once a week into a throw-away copy, says whether that worked and how long it took, and deletes
 * the copy. A backup that was never restored is a hope.
 *
 *     const restoreTesting = new RestoreTesting(this, 'RestoreTesting', { vaultArn: backup.vault.backupVaultArn });
 *     restoreTesting.addSelection('Database', 'RDS', database.instance.instanceArn, { dbsubnetgroupname: subnetGroup });
 *
 * Each resourceType of resource gets a selection, as a selection knows one kind only. The copy of a database would be put into the
 * default VPC unless its subnet group is said.
 *
 * Billed: each test, and the copy for as long as it lives.
 *
 * @see https://docs.aws.amazon.com/aws-backup/latest/devguide/restore-testing.html
 */
export class RestoreTesting extends Construct {
  private readonly plan: CfnRestoreTestingPlan;
  private readonly role: Role;

  constructor(scope: Construct, id: string, props: RestoreTestingProps) {
    super(scope, id);

    this.plan = new CfnRestoreTestingPlan(this, 'Plan', {
      // A name is required, unique in the account, and takes no dashes.
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
   * @param resourceType of the resource with this ARN
   * @param metadata what the restore is told besides, by the names that AWS Backup documents for the resourceType
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
      reason: 'The policy that AWS Backup documents for restores; AWS extends it as resource types are added.',
    });
    return role;
  }
}
