import { Aws, Duration, Validations } from 'aws-cdk-lib';
import type { IAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import { CfnExperimentTemplate } from 'aws-cdk-lib/aws-fis';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';

export interface FaultDrillsProps {
  /** Stop conditions of the experiments: one to five user-facing alarms. */
  readonly stopAlarms: readonly IAlarm[];

  /** Tag of the servers and their Auto Scaling group. No other instance is a target. */
  readonly serverTag: { readonly key: string; readonly value: string };

  /** Availability zones of the servers, at least two. Zone experiments target the first one. */
  readonly availabilityZones: readonly string[];

  /**
   * Whether the fleet uses spot instances.
   *
   * @default false
   */
  readonly spot?: boolean;

  /**
   * ARN of a Multi-AZ database instance.
   *
   * @default - no database experiment
   */
  readonly databaseArn?: string;

  /**
   * Id of a Multi-AZ ElastiCache replication group.
   *
   * @default - no cache experiment
   */
  readonly replicationGroupId?: string;

  /**
   * Duration of zone experiments, in whole minutes: 1 to 720.
   *
   * @default Duration.minutes(10)
   */
  readonly zoneOutageDuration?: Duration;
}

/** One action of an experiment, with its target. */
interface Fault {
  readonly actionId: string;
  readonly parameters?: Readonly<Record<string, string>>;
  /** Name of the action's target type, such as `Instances`. */
  readonly role: string;
  readonly target: CfnExperimentTemplate.ExperimentTemplateTargetProperty;
}

/**
 * Experiment templates of AWS Fault Injection Service (FIS) for the failure of a server, a spot instance, the primary of
 * database and cache, and an availability zone. You start each experiment manually:
 *
 *     aws fis start-experiment --experiment-template-id ID
 *
 * A user-facing alarm stops an experiment. The role can terminate servers with one tag, reboot one database and interrupt one
 * cache.
 *
 *     new FaultDrills(this, 'FaultDrills', { stopAlarms, serverTag, availabilityZones: vpc.availabilityZones });
 *
 * `LoseZone` terminates the servers of the zone, because spot instances of a group cannot be stopped, and denies the group new
 * capacity there. It does not include the database, whose primary's zone is unknown to the template.
 *
 * Billed per action minute while an experiment runs.
 *
 * @see https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html
 */
export class FaultDrills extends Construct {
  /** Ids of the experiment templates, by name. */
  readonly templateIds: Readonly<Record<string, string>>;
  private readonly stopAlarms: readonly IAlarm[];
  private readonly role: Role;

  constructor(scope: Construct, id: string, props: FaultDrillsProps) {
    super(scope, id);
    validate(props);
    this.stopAlarms = props.stopAlarms;
    this.role = makeRole(this, props);
    const database = failOverDatabase(props);
    const cache = interruptCacheZone(props);

    this.templateIds = {
      KillServer: this.addExperiment('KillServer', 'Terminates one server without warning', {
        server: terminateServer(props),
      }),
      ...(props.spot && {
        InterruptSpot: this.addExperiment('InterruptSpot', 'Interrupts one spot instance with two minutes of notice', {
          server: interruptSpot(props),
        }),
      }),
      ...(database && {
        FailDatabaseOver: this.addExperiment('FailDatabaseOver', 'Fails the database over to its standby', {
          database,
        }),
      }),
      ...(cache && {
        FailCacheOver: this.addExperiment('FailCacheOver', 'Interrupts the cache nodes in the first zone', {
          cache,
        }),
      }),
      LoseZone: this.addExperiment(
        'LoseZone',
        'Terminates the servers and interrupts the cache nodes in the first zone, and denies new capacity there',
        {
          servers: terminateZone(props),
          capacity: denyZoneCapacity(props),
          ...(cache && { cache }),
        },
      ),
    };
  }

  private addExperiment(id: string, description: string, faults: Readonly<Record<string, Fault>>): string {
    const each = Object.entries(faults);
    const template = new CfnExperimentTemplate(this, id, {
      description,
      roleArn: this.role.roleArn,
      targets: Object.fromEntries(each.map(([name, { target }]) => [name, target])),
      actions: Object.fromEntries(
        each.map(([name, { actionId, parameters, role }]) => [
          name,
          { actionId, parameters, targets: { [role]: name } },
        ]),
      ),
      stopConditions: this.stopAlarms.map(({ alarmArn }) => ({ source: 'aws:cloudwatch:alarm', value: alarmArn })),
      // An experiment with several actions continues when one of them has no target in the zone.
      experimentOptions: {
        accountTargeting: 'single-account',
        emptyTargetResolutionMode: each.length > 1 ? 'skip' : 'fail',
      },
      tags: { Name: `${Aws.STACK_NAME}-${id}` },
    });
    // FIS checks the role's permissions when the template is created.
    template.node.addDependency(this.role.node.findChild('DefaultPolicy'));
    return template.ref;
  }
}

const RUNNING = { path: 'State.Name', values: ['running'] };

function terminateServer(props: FaultDrillsProps): Fault {
  return {
    actionId: 'aws:ec2:terminate-instances',
    role: 'Instances',
    target: servers(props, 'aws:ec2:instance', 'COUNT(1)', [RUNNING]),
  };
}

function interruptSpot(props: FaultDrillsProps): Fault {
  return {
    actionId: 'aws:ec2:send-spot-instance-interruptions',
    parameters: { durationBeforeInterruption: 'PT2M' },
    role: 'SpotInstances',
    target: servers(props, 'aws:ec2:spot-instance', 'COUNT(1)', [RUNNING]),
  };
}

function terminateZone(props: FaultDrillsProps): Fault {
  const inZone = { path: 'Placement.AvailabilityZone', values: [zoneOf(props)] };
  return {
    actionId: 'aws:ec2:terminate-instances',
    role: 'Instances',
    target: servers(props, 'aws:ec2:instance', 'ALL', [RUNNING, inZone]),
  };
}

function denyZoneCapacity(props: FaultDrillsProps): Fault {
  return {
    actionId: 'aws:ec2:asg-insufficient-instance-capacity-error',
    parameters: { availabilityZoneIdentifiers: zoneOf(props), duration: outageDuration(props), percentage: '100' },
    role: 'AutoScalingGroups',
    target: servers(props, 'aws:ec2:autoscaling-group', 'ALL'),
  };
}

function failOverDatabase({ databaseArn }: FaultDrillsProps): Fault | undefined {
  if (!databaseArn) return undefined;
  return {
    actionId: 'aws:rds:reboot-db-instances',
    parameters: { forceFailover: 'true' },
    role: 'DBInstances',
    target: { resourceType: 'aws:rds:db', resourceArns: [databaseArn], selectionMode: 'ALL' },
  };
}

function interruptCacheZone(props: FaultDrillsProps): Fault | undefined {
  if (!props.replicationGroupId) return undefined;
  return {
    actionId: 'aws:elasticache:replicationgroup-interrupt-az-power',
    parameters: { duration: outageDuration(props) },
    role: 'ReplicationGroups',
    target: {
      resourceType: 'aws:elasticache:replicationgroup',
      resourceArns: [cacheArn(props.replicationGroupId)],
      selectionMode: 'ALL',
      parameters: { availabilityZoneIdentifier: zoneOf(props) },
    },
  };
}

function servers(
  { serverTag }: FaultDrillsProps,
  resourceType: string,
  selectionMode: string,
  filters?: CfnExperimentTemplate.ExperimentTemplateTargetFilterProperty[],
): CfnExperimentTemplate.ExperimentTemplateTargetProperty {
  return { resourceType, selectionMode, resourceTags: { [serverTag.key]: serverTag.value }, filters };
}

function zoneOf({ availabilityZones }: FaultDrillsProps): string {
  return availabilityZones[0] as string;
}

function outageDuration(props: FaultDrillsProps): string {
  return `PT${(props.zoneOutageDuration ?? Duration.minutes(10)).toMinutes()}M`;
}

function arn(service: string, resource: string): string {
  return `arn:${Aws.PARTITION}:${service}:${Aws.REGION}:${Aws.ACCOUNT_ID}:${resource}`;
}

function cacheArn(replicationGroupId: string): string {
  return arn('elasticache', `replicationgroup:${replicationGroupId}`);
}

function makeRole(scope: Construct, props: FaultDrillsProps): Role {
  const { serverTag, databaseArn, replicationGroupId } = props;
  const role = new Role(scope, 'Role', {
    assumedBy: new ServicePrincipal('fis.amazonaws.com', {
      conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
    }),
  });
  const allow = (actions: string[], resource: string, conditions?: Record<string, Record<string, string>>) =>
    role.addToPolicy(new PolicyStatement({ actions, resources: [resource], conditions }));

  allow(
    ['ec2:TerminateInstances', ...(props.spot ? ['ec2:SendSpotInstanceInterruptions'] : [])],
    arn('ec2', 'instance/*'),
    {
      StringEquals: { [`aws:ResourceTag/${serverTag.key}`]: serverTag.value },
    },
  );
  allow(['ec2:InjectApiError'], '*', {
    'ForAllValues:StringEquals': { 'ec2:FisActionId': 'aws:ec2:asg-insufficient-instance-capacity-error' },
  });
  allow(['ec2:DescribeInstances', 'autoscaling:DescribeAutoScalingGroups', 'tag:GetResources'], '*');
  if (databaseArn) {
    allow(['rds:RebootDBInstance'], databaseArn);
    allow(['rds:DescribeDBInstances'], '*');
  }
  if (replicationGroupId) {
    allow(['elasticache:InterruptClusterAzPower'], cacheArn(replicationGroupId));
    allow(['elasticache:DescribeReplicationGroups'], '*');
  }
  Validations.of(role).acknowledge({
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason:
      'Describe actions have no resource-level permissions. A condition limits injected errors to one FIS action.',
  });
  Validations.of(role).acknowledge({
    id: 'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ec2:<AWS::Region>:<AWS::AccountId>:instance/*]',
    reason: 'Instance ids change with every scaling event. A condition on the tag limits the targets.',
  });
  return role;
}

function validate(props: FaultDrillsProps): void {
  const alarms = props.stopAlarms.length;
  if (alarms < 1 || alarms > 5) throw new Error(`FaultDrills: stopAlarms must contain 1 to 5 alarms, got ${alarms}.`);
  if (props.availabilityZones.length < 2) {
    throw new Error(
      `FaultDrills: availabilityZones must contain at least 2 zones, got ${props.availabilityZones.length}.`,
    );
  }
  const minutes = (props.zoneOutageDuration ?? Duration.minutes(10)).toMinutes();
  if (minutes < 1 || minutes > 720) {
    throw new Error(`FaultDrills: zoneOutageDuration must be from 1 to 720 minutes, got ${minutes} minutes.`);
  }
}
