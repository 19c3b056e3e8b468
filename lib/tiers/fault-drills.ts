import { Aws, Duration, Validations } from 'aws-cdk-lib';
import type { IAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import { CfnExperimentTemplate } from 'aws-cdk-lib/aws-fis';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';

export interface FaultDrillsProps {
  /** Alarms that stop a drill at once: those that mean that visitors suffer. One to five. */
  readonly stopAlarms: readonly IAlarm[];

  /** Tag that the servers and their Auto Scaling group carry; no other instance is touched. */
  readonly serverTag: { readonly key: string; readonly value: string };

  /** Names of the availability zones; the first is the one that a drill takes away. */
  readonly availabilityZones: readonly string[];

  /**
   * Whether some servers are spot instances.
   *
   * @default false
   */
  readonly spot?: boolean;

  /**
   * ARN of a Multi-AZ database instance.
   *
   * @default - no drill on the database
   */
  readonly databaseArn?: string;

  /**
   * Id of a Multi-AZ replication group of ElastiCache.
   *
   * @default - no drill on the cache
   */
  readonly replicationGroupId?: string;

  /**
   * How long a zone stays away, in whole minutes.
   *
   * @default Duration.minutes(10)
   */
  readonly zoneOutageDuration?: Duration;
}

/** One thing that a drill breaks. */
interface Fault {
  readonly actionId: string;
  readonly parameters?: Readonly<Record<string, string>>;
  /** What the action calls its target. */
  readonly role: string;
  readonly target: CfnExperimentTemplate.ExperimentTemplateTargetProperty;
}

/**
 * Experiments of AWS Fault Injection Service that break on purpose what will break anyway: a server, a spot instance, the
 * primary of database and cache, a whole zone. Nothing starts by itself:
 *
 *     aws fis start-experiment --experiment-template-id ID
 *
 * An alarm that means that visitors suffer stops a drill. The role of the drills can end servers of one tag, reboot one
 * database and interrupt one cache, and nothing else.
 *
 *     new FaultDrills(this, 'FaultDrills', { stopAlarms, serverTag, availabilityZones: vpc.availabilityZones });
 *
 * When a zone goes, its servers are terminated and not stopped, since spot instances of a group cannot be stopped; and the
 * group gets no new server there for as long. The database has a drill of its own: where its primary is, no template knows.
 *
 * Billed by the minute of each action, while a drill runs.
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
      KillServer: this.addExperiment('KillServer', 'Ends one server without a warning', {
        server: terminateServer(props),
      }),
      ...(props.spot && {
        InterruptSpot: this.addExperiment('InterruptSpot', 'Takes one spot instance back, with two minutes of notice', {
          server: interruptSpot(props),
        }),
      }),
      ...(database && {
        FailDatabaseOver: this.addExperiment('FailDatabaseOver', 'Reboots the database on its standby', { database }),
      }),
      ...(cache && {
        FailCacheOver: this.addExperiment('FailCacheOver', 'Takes the nodes of the cache in the first zone away', {
          cache,
        }),
      }),
      LoseZone: this.addExperiment(
        'LoseZone',
        'Takes the servers and the cache nodes of the first zone, and room for new ones',
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
      // A drill of several faults goes on where one of them finds nothing in the zone.
      experimentOptions: {
        accountTargeting: 'single-account',
        emptyTargetResolutionMode: each.length > 1 ? 'skip' : 'fail',
      },
      tags: { Name: `${Aws.STACK_NAME}-${id}` },
    });
    // FIS looks at the role's rights when it makes a template.
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
    reason: 'What describes knows no resources; errors are injected for one action of FIS only.',
  });
  Validations.of(role).acknowledge({
    id: 'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ec2:<AWS::Region>:<AWS::AccountId>:instance/*]',
    reason: 'Servers come and go: the condition on their tag says which ones.',
  });
  return role;
}

function validate(props: FaultDrillsProps): void {
  const alarms = props.stopAlarms.length;
  if (alarms < 1 || alarms > 5) throw new Error(`FaultDrills: ${alarms} stopAlarms, there must be 1 to 5`);
  if (props.availabilityZones.length < 2) {
    throw new Error(`FaultDrills: ${props.availabilityZones.length} availabilityZones, there must be 2 at least`);
  }
  const minutes = (props.zoneOutageDuration ?? Duration.minutes(10)).toMinutes();
  if (minutes < 1 || minutes > 720) {
    throw new Error(`FaultDrills: zoneOutageDuration of ${minutes} minutes must be from 1 to 720 minutes`);
  }
}
