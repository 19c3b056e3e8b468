import { Aws, Duration, Fn, Lazy, RemovalPolicy, Stack, Tags, Token, Validations } from 'aws-cdk-lib';
import { AutoScalingGroup, CfnAutoScalingGroup, type IAutoScalingGroup } from 'aws-cdk-lib/aws-autoscaling';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import {
  CfnLaunchTemplate,
  type Connections,
  type IConnectable,
  InstanceArchitecture,
  type InstanceType,
  type IVpc,
  Peer,
  Port,
  SecurityGroup,
  SubnetType,
} from 'aws-cdk-lib/aws-ec2';
import { InstanceProfile, ManagedPolicy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct, type IDependable } from 'constructs';
import { FLEET_SURGE, LIFECYCLE_POLL, TERMINATION_HOOK } from '../constants';

export interface FleetProps {
  /** VPC with private subnets and NAT gateways. Servers are spread over all private subnets. */
  readonly vpc: IVpc;

  /**
   * Graviton instance types in order of preference. Several types create a mixed instances policy. For spot, name several:
   * each type adds capacity pools.
   */
  readonly instanceTypes: readonly InstanceType[];

  /** Minimum number of servers. Equal to `maxSize` for a fleet of fixed size. */
  readonly minSize: number;

  /** Maximum number of servers. */
  readonly maxSize: number;

  /**
   * On-Demand servers that the fleet starts with before it uses spot.
   *
   * @default 0
   */
  readonly onDemandBaseCapacity?: number;

  /**
   * Percentage of On-Demand servers above `onDemandBaseCapacity`, 0 to 100. The rest is spot.
   *
   * @default 100 (no spot)
   */
  readonly onDemandPercentageAboveBase?: number;

  /** Name of the app: lowercase letters, digits and dashes. Its release is unpacked to `/opt/<name>/releases`. */
  readonly appName: string;

  /** Directory with the built app, uploaded as an asset. The app must run without an install step. */
  readonly bundle: string;

  /**
   * Bash script inside the bundle that starts the release. It runs once as root when a server launches. A non-zero exit code
   * fails the deploy. `RELEASE_DIR` is the unpacked bundle. `/var/log/<name>/app.log` is sent to the fleet's log group.
   */
  readonly setupScript: string;

  /**
   * Suffix of the servers' `Name` tag, after the stack name.
   *
   * @default - the name of the service
   */
  readonly name?: string;

  /**
   * systemd unit that the script starts. It is stopped before the server terminates, and termination waits for it.
   *
   * @default - the name of the app
   */
  readonly service?: string;

  /**
   * Environment variables of the setup script. Must not contain secrets: user data is readable on the server. A change
   * replaces the servers.
   *
   * @default - only `RELEASE_DIR` and `AWS_REGION`
   */
  readonly environment?: Readonly<Record<string, string>>;

  /**
   * Secrets that the servers' role may read and decrypt.
   *
   * @default - none
   */
  readonly secrets?: readonly ISecret[];

  /**
   * CloudWatch namespace of the app's custom metrics.
   *
   * @default - the app publishes no metrics
   */
  readonly metricsNamespace?: string;

  /**
   * ARN of the load balancer's target group. With it, the group uses ELB health checks, otherwise EC2 status checks.
   *
   * @default - no load balancer
   */
  readonly targetGroupArn?: string;

  /**
   * Health check grace period. A server that is not healthy after it is replaced.
   *
   * @default Duration.minutes(5)
   */
  readonly healthCheckGracePeriod?: Duration;

  /**
   * How long a new server is excluded from the group's metrics for scaling.
   *
   * @default Duration.minutes(2)
   */
  readonly defaultInstanceWarmup?: Duration;

  /**
   * How long CloudFormation waits for the success signal of each new server before it rolls back. At least
   * `healthCheckGracePeriod` plus one minute, at most an hour.
   *
   * @default Duration.minutes(15)
   */
  readonly setupTimeout?: Duration;

  /**
   * Age at which a server is replaced by one with the latest image: 1 to 365 days.
   *
   * @default Duration.days(30)
   */
  readonly maxInstanceLifetime?: Duration;

  /**
   * Image of new servers: an AMI id, or `resolve:ssm:` followed by the name of an SSM parameter.
   *
   * @default - the latest Amazon Linux 2023 when a server launches
   */
  readonly image?: string;
}

/** CloudWatch namespace of the agent's metrics. */
const HOST_METRICS = 'Host';

const NEWEST_AMAZON_LINUX = 'resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64';

/** Name of the termination lifecycle hook. */
const HOOK = 'drain';

/**
 * An Auto Scaling group of identical, stateless Amazon Linux 2023 servers over all private subnets.
 *
 *     const fleet = new Fleet(this, 'Fleet', {
 *       vpc: network.vpc,
 *       instanceTypes: [new InstanceType('t4g.medium')],
 *       minSize: 5,
 *       maxSize: 5,
 *       appName: 'shop',
 *       bundle: 'dist/app',
 *       setupScript: 'host/configure.sh',
 *       targetGroupArn: loadBalancer.targetGroupArn,
 *     });
 *     fleet.addLaunchDependency(loadBalancer.allowTo('Fleet', fleet, 'The servers'));
 *
 * A new release or setting creates a version of the launch template, and CloudFormation replaces the servers one at a time.
 * Each new server signals success once it is healthy in the target group. A failure rolls all servers back. A rolling update
 * launches an extra server only below `maxSize`, so a fleet of fixed size runs with one server less during a deploy.
 *
 * The template sets no desired capacity, because every deploy would reset the fleet to it. EC2 resolves the image at launch,
 * so a new AMI does not trigger a rolling update. Servers get it when they reach `maxInstanceLifetime`. Those replacements
 * launch the new server before they terminate the old one.
 *
 * On termination the load balancer deregisters the server first, then the lifecycle hook holds it until its service has
 * stopped. The root volume uses the AWS-managed key: a customer-managed one requires a grant for the service-linked role of
 * Auto Scaling, and the volume holds no state.
 *
 * There is no SSH access. Use `aws ssm start-session`.
 *
 * Fixed cost: $141 a month in phase 3 (`Fleet`), $113 in phase 4 (`ElasticFleet`), $27 in phase 4 (`Workers`), plus
 * usage (us-east-1, prices of 2024-07 to 2026-07; `npm run cost -- phase-4`).
 */
export class Fleet extends Construct implements IConnectable {
  readonly group: CfnAutoScalingGroup;
  /** `group` as an L2, for constructs that require one. */
  readonly autoScalingGroup: IAutoScalingGroup;
  readonly launchTemplate: CfnLaunchTemplate;
  /** Role of the servers. Its policy is created before the group, so it must not reference the group. */
  readonly role: Role;
  readonly connections: Connections;
  readonly logGroup: LogGroup;
  private readonly securityGroup: SecurityGroup;

  constructor(scope: Construct, id: string, props: FleetProps) {
    super(scope, id);
    validate(props);

    this.securityGroup = new SecurityGroup(this, 'SecurityGroup', {
      vpc: props.vpc,
      description: 'Servers: AWS and package repositories out',
      allowAllOutbound: false,
    });
    this.securityGroup.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'AWS APIs and package repositories');
    this.connections = this.securityGroup.connections;

    this.logGroup = new LogGroup(this, 'Log', {
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    this.role = this.makeRole(props);
    this.launchTemplate = this.makeLaunchTemplate(props);
    this.group = this.makeGroup(props);
    Validations.of(this.role).acknowledge({
      id:
        'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:autoscaling:<AWS::Region>:<AWS::AccountId>:autoScalingGroup:*:' +
        `autoScalingGroupName/<AWS::StackName>-${Stack.of(this).resolve(this.group.logicalId)}-*]`,
      reason:
        'The wildcard covers the generated suffix of the name of this group. The policy is created before the group.',
    });
    this.autoScalingGroup = AutoScalingGroup.fromAutoScalingGroupName(this, 'Ref', this.group.ref);
  }

  /** Launches servers only after these dependencies exist, such as the rule that lets them reach the database. */
  addLaunchDependency(...dependencies: IDependable[]): void {
    this.group.node.addDependency(...dependencies);
  }

  /** Returns an `AWS/EC2` metric over all servers, such as `CPUUtilization`. */
  metric(metricName: string, statistic: string): Metric {
    return this.metricOf('AWS/EC2', metricName, statistic);
  }

  /** Returns an `AWS/AutoScaling` metric of the group, such as `GroupInServiceInstances`. */
  metricGroup(metricName: string, statistic: string): Metric {
    return this.metricOf('AWS/AutoScaling', metricName, statistic);
  }

  /** Returns the memory utilization, in percent. */
  metricMemoryUsed(statistic = 'Maximum'): Metric {
    return this.metricOf(HOST_METRICS, 'mem_used_percent', statistic);
  }

  private metricOf(namespace: string, metricName: string, statistic: string): Metric {
    return new Metric({ namespace, metricName, statistic, dimensionsMap: { AutoScalingGroupName: this.group.ref } });
  }

  private makeRole(props: FleetProps): Role {
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('ec2.amazonaws.com'),
      managedPolicies: [ManagedPolicy.fromAwsManagedPolicyName('AmazonSSMManagedInstanceCore')],
    });
    const namespaces = [HOST_METRICS, ...(props.metricsNamespace ? [props.metricsNamespace] : [])];
    role.addToPolicy(
      new PolicyStatement({
        actions: ['cloudwatch:PutMetricData'],
        resources: ['*'],
        conditions: { StringEquals: { 'cloudwatch:namespace': namespaces } },
      }),
    );
    role.addToPolicy(new PolicyStatement({ actions: ['cloudformation:SignalResource'], resources: [Aws.STACK_ID] }));
    role.addToPolicy(
      new PolicyStatement({
        actions: [
          'autoscaling:DescribeAutoScalingInstances',
          // The CloudWatch agent reads the name of the group from the instance's tags.
          'ec2:DescribeTags',
          ...(props.targetGroupArn ? ['elasticloadbalancing:DescribeTargetHealth'] : []),
        ],
        resources: ['*'],
      }),
    );
    // By name, because the group is created after this policy: CloudFormation names it after the stack and its logical id.
    const groupName = Lazy.string({ produce: () => `${Aws.STACK_NAME}-${Stack.of(this).getLogicalId(this.group)}-*` });
    role.addToPolicy(
      new PolicyStatement({
        actions: ['autoscaling:CompleteLifecycleAction'],
        resources: [
          `arn:${Aws.PARTITION}:autoscaling:${Aws.REGION}:${Aws.ACCOUNT_ID}:autoScalingGroup:*:autoScalingGroupName/${groupName}`,
        ],
      }),
    );
    role.addToPolicy(
      new PolicyStatement({
        actions: ['logs:CreateLogStream', 'logs:DescribeLogStreams', 'logs:PutLogEvents'],
        resources: [this.logGroup.logGroupArn],
      }),
    );
    for (const secret of props.secrets ?? []) secret.grantRead(role);

    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/AmazonSSMManagedInstanceCore]',
      reason:
        'The managed policy that AWS documents for Session Manager and Run Command, which replace SSH and its keys.',
    });
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason:
        'PutMetricData, DescribeTargetHealth, DescribeTags and DescribeAutoScalingInstances have no resource-level ' +
        'permissions. A condition limits metrics to their namespaces.',
    });
    return role;
  }

  private makeLaunchTemplate(props: FleetProps): CfnLaunchTemplate {
    const profile = new InstanceProfile(this, 'InstanceProfile', { role: this.role });
    return new CfnLaunchTemplate(this, 'LaunchTemplate', {
      launchTemplateData: {
        imageId: props.image ?? NEWEST_AMAZON_LINUX,
        instanceType: props.instanceTypes[0]?.toString(),
        iamInstanceProfile: { arn: profile.instanceProfileArn },
        securityGroupIds: [this.securityGroup.securityGroupId],
        metadataOptions: { httpEndpoint: 'enabled', httpTokens: 'required', httpPutResponseHopLimit: 1 },
        monitoring: { enabled: true },
        blockDeviceMappings: [
          {
            deviceName: '/dev/xvda',
            ebs: { volumeType: 'gp3', volumeSize: 20, encrypted: true, deleteOnTermination: true },
          },
        ],
        tagSpecifications: ['volume', 'network-interface'].map((resourceType) => ({
          resourceType,
          tags: [{ key: 'Name', value: this.serverName(props) }],
        })),
        userData: this.makeUserData(props),
      },
    });
  }

  private makeUserData(props: FleetProps): string {
    const bundle = new Asset(this, 'Bundle', { path: props.bundle });
    this.role.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ['s3:GetObject'],
        resources: [bundle.bucket.arnForObjects(bundle.s3ObjectKey)],
      }),
    );
    const lines = [
      '#!/bin/bash',
      ...exportLines({
        AWS_REGION: Aws.REGION,
        APP_NAME: props.appName,
        SERVICE: props.service ?? props.appName,
        BUNDLE_URL: bundle.s3ObjectUrl,
        RELEASE: bundle.assetHash,
        SETUP_SCRIPT: props.setupScript,
        LOG_GROUP: this.logGroup.logGroupName,
        STACK_ID: Aws.STACK_ID,
        GROUP_ID: Lazy.string({ produce: () => Stack.of(this).getLogicalId(this.group) }),
        TARGET_GROUP_ARN: props.targetGroupArn ?? '',
        ...props.environment,
      }),
      SETUP_LINES,
    ];
    return Fn.base64(lines.join('\n'));
  }

  private makeGroup(props: FleetProps): CfnAutoScalingGroup {
    const subnets = props.vpc.selectSubnets({ subnetType: SubnetType.PRIVATE_WITH_EGRESS });
    const grace = props.healthCheckGracePeriod ?? Duration.minutes(5);
    const mixed = isMixed(props);
    const launchTemplate = {
      launchTemplateId: this.launchTemplate.ref,
      version: this.launchTemplate.attrLatestVersionNumber,
    };
    const group = new CfnAutoScalingGroup(this, 'Group', {
      vpcZoneIdentifier: subnets.subnetIds,
      minSize: String(props.minSize),
      maxSize: String(props.maxSize),
      ...(mixed
        ? { mixedInstancesPolicy: mixedInstancesPolicy(props, launchTemplate), capacityRebalance: isSpot(props) }
        : { launchTemplate }),
      targetGroupArns: props.targetGroupArn ? [props.targetGroupArn] : undefined,
      healthCheckType: props.targetGroupArn ? 'ELB' : 'EC2',
      healthCheckGracePeriod: grace.toSeconds(),
      defaultInstanceWarmup: (props.defaultInstanceWarmup ?? Duration.minutes(2)).toSeconds(),
      maxInstanceLifetime: (props.maxInstanceLifetime ?? Duration.days(30)).toSeconds(),
      // Replacements for age or health launch the new server first.
      instanceMaintenancePolicy: { minHealthyPercentage: 100, maxHealthyPercentage: 100 + FLEET_SURGE },
      metricsCollection: [{ granularity: '1Minute' }],
      lifecycleHookSpecificationList: [
        {
          lifecycleHookName: HOOK,
          lifecycleTransition: 'autoscaling:EC2_INSTANCE_TERMINATING',
          heartbeatTimeout: TERMINATION_HOOK,
          defaultResult: 'CONTINUE',
        },
      ],
    });
    Tags.of(group).add('Name', this.serverName(props));

    const timeout = (props.setupTimeout ?? Duration.minutes(15)).toIsoString();
    group.cfnOptions.creationPolicy = { resourceSignal: { count: props.minSize, timeout } };
    group.cfnOptions.updatePolicy = {
      autoScalingRollingUpdate: {
        maxBatchSize: 1,
        minInstancesInService: Math.min(props.minSize, props.maxSize - 1),
        waitOnResourceSignals: true,
        pauseTime: timeout,
        // These processes could terminate a server whose signal CloudFormation is waiting for.
        suspendProcesses: ['HealthCheck', 'ReplaceUnhealthy', 'AZRebalance', 'AlarmNotification', 'ScheduledActions'],
      },
    };
    group.node.addDependency(this.role, subnets.internetConnectivityEstablished);

    if (mixed) {
      Validations.of(group).acknowledge({
        id: 'AwsSolutions-EC26',
        reason: 'The rule cannot read a mixed instances policy. The launch template encrypts the volume.',
      });
    }
    Validations.of(group).acknowledge({
      id: 'AwsSolutions-AS3',
      reason:
        'Servers launch and terminate all day. Alarms cover a fleet that is too small and one without a healthy server.',
    });
    return group;
  }

  private serverName(props: FleetProps): string {
    return `${Aws.STACK_NAME}-${props.name ?? props.service ?? props.appName}`;
  }
}

function isMixed(props: FleetProps): boolean {
  return props.instanceTypes.length > 1 || isSpot(props);
}

function isSpot(props: FleetProps): boolean {
  return (props.onDemandPercentageAboveBase ?? 100) < 100;
}

function mixedInstancesPolicy(
  props: FleetProps,
  launchTemplateSpecification: CfnAutoScalingGroup.LaunchTemplateSpecificationProperty,
): CfnAutoScalingGroup.MixedInstancesPolicyProperty {
  return {
    launchTemplate: {
      launchTemplateSpecification,
      overrides: props.instanceTypes.map((type) => ({ instanceType: type.toString() })),
    },
    instancesDistribution: {
      onDemandAllocationStrategy: 'prioritized',
      onDemandBaseCapacity: props.onDemandBaseCapacity ?? 0,
      onDemandPercentageAboveBaseCapacity: props.onDemandPercentageAboveBase ?? 100,
      spotAllocationStrategy: 'price-capacity-optimized',
    },
  };
}

function validate(props: FleetProps): void {
  const { instanceTypes, minSize, maxSize, onDemandBaseCapacity = 0, onDemandPercentageAboveBase = 100 } = props;
  if (instanceTypes.length === 0) {
    throw new Error('Fleet: instanceTypes must contain at least one Graviton type, got [].');
  }
  for (const type of instanceTypes) {
    if (type.architecture !== InstanceArchitecture.ARM_64) {
      throw new Error(`Fleet: instanceTypes must be arm64, got ${type.toString()}. Choose Graviton types.`);
    }
  }
  if (!Number.isInteger(minSize) || minSize < 1) {
    throw new Error(`Fleet: minSize must be a whole number of at least 1, got ${minSize}.`);
  }
  if (!Number.isInteger(maxSize) || maxSize < minSize) {
    throw new Error(`Fleet: maxSize must be a whole number of at least minSize (${minSize}), got ${maxSize}.`);
  }
  if (!Number.isInteger(onDemandBaseCapacity) || onDemandBaseCapacity < 0 || onDemandBaseCapacity > maxSize) {
    throw new Error(
      `Fleet: onDemandBaseCapacity must be a whole number from 0 to maxSize (${maxSize}), got ${onDemandBaseCapacity}.`,
    );
  }
  if (
    !Number.isInteger(onDemandPercentageAboveBase) ||
    onDemandPercentageAboveBase < 0 ||
    onDemandPercentageAboveBase > 100
  ) {
    throw new Error(
      `Fleet: onDemandPercentageAboveBase must be a whole number from 0 to 100, got ${onDemandPercentageAboveBase}.`,
    );
  }
  for (const [prop, value] of Object.entries({ appName: props.appName, service: props.service })) {
    if (value !== undefined && !/^[a-z][a-z0-9-]*$/.test(value)) {
      throw new Error(`Fleet: ${prop} must be lowercase letters, digits and dashes, got "${value}".`);
    }
  }
  const grace = props.healthCheckGracePeriod ?? Duration.minutes(5);
  const setupTimeout = props.setupTimeout ?? Duration.minutes(15);
  if (setupTimeout.toSeconds() < grace.toSeconds() + 60 || setupTimeout.toSeconds() > 3600) {
    throw new Error(
      `Fleet: setupTimeout must be from healthCheckGracePeriod plus one minute (${grace.toSeconds() + 60} s) to 3600 s, ` +
        `got ${setupTimeout.toSeconds()} s.`,
    );
  }
  const days = (props.maxInstanceLifetime ?? Duration.days(30)).toDays();
  if (days < 1 || days > 365) {
    throw new Error(`Fleet: maxInstanceLifetime must be from 1 to 365 days, got ${days} days.`);
  }
}

function exportLines(environment: Readonly<Record<string, string>>): string[] {
  return Object.entries(environment).map(([name, value]) => {
    if (!Token.isUnresolved(value) && /['\n]/.test(value)) {
      throw new Error(
        `Fleet: environment variable ${name} must not contain quotes or newlines, got ${JSON.stringify(value)}.`,
      );
    }
    return `export ${name}='${value}'`;
  });
}

/**
 * App-independent part of the user data: CloudWatch agent, release download and setup, termination hook, and the signal to
 * CloudFormation. Any change to the script, even to its comments, replaces the servers.
 */
const SETUP_LINES = `
set -euo pipefail
umask 022
fail() { echo "error: $*" >&2; exit 1; }

metadata() {
  local token
  token=$(curl -fsS -m 5 --retry 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token)
  curl -fsS -m 5 -H "X-aws-ec2-metadata-token: $token" "http://169.254.169.254/latest/meta-data/$1"
}
INSTANCE_ID=$(metadata instance-id)
export INSTANCE_ID AWS_DEFAULT_REGION=$AWS_REGION

# Only during a deploy is anybody waiting for it.
signal() {
  aws cloudformation signal-resource --stack-name "$STACK_ID" --logical-resource-id "$GROUP_ID" \\
    --unique-id "$INSTANCE_ID" --status "$1" || echo "no deploy waits for $1"
}
trap '[[ $? == 0 ]] || signal FAILURE' EXIT

rpm -q --quiet amazon-cloudwatch-agent || dnf install -y -q amazon-cloudwatch-agent
log=/var/log/$APP_NAME
mkdir -p "$log" "/etc/systemd/system/$SERVICE.service.d"
touch "$log/app.log"
chmod 640 "$log/app.log"
chgrp cwagent "$log/app.log"
cat >"/etc/systemd/system/$SERVICE.service.d/log.conf" <<UNIT
[Service]
StandardOutput=append:$log/app.log
StandardError=inherit
UNIT
cat >"/etc/logrotate.d/$APP_NAME" <<ROTATE
$log/app.log {
  daily
  maxsize 100M
  rotate 2
  copytruncate
  missingok
}
ROTATE
agent=/opt/aws/amazon-cloudwatch-agent
cat >"$agent/etc/fleet.json" <<JSON
{
  "agent": { "metrics_collection_interval": 60, "run_as_user": "cwagent" },
  "metrics": {
    "namespace": "${HOST_METRICS}",
    "append_dimensions": { "AutoScalingGroupName": "\\\${aws:AutoScalingGroupName}" },
    "metrics_collected": { "mem": { "measurement": ["mem_used_percent"] } }
  },
  "logs": {
    "logs_collected": {
      "files": {
        "collect_list": [
          { "file_path": "$log/app.log", "log_group_name": "$LOG_GROUP", "log_stream_name": "{instance_id}" }
        ]
      }
    }
  }
}
JSON
"$agent/bin/amazon-cloudwatch-agent-ctl" -a fetch-config -m ec2 -s -c "file:$agent/etc/fleet.json" >/dev/null

releases=/opt/$APP_NAME/releases
export RELEASE_DIR=$releases/$RELEASE
mkdir -p "$RELEASE_DIR"
for attempt in {1..20}; do
  aws s3 cp --only-show-errors "$BUNDLE_URL" "$RELEASE_DIR.zip" && break
  (( attempt < 20 )) || fail "cannot download $BUNDLE_URL"
  sleep 6
done
python3 -m zipfile -e "$RELEASE_DIR.zip" "$RELEASE_DIR" || fail "cannot unpack $BUNDLE_URL"
rm -f "$RELEASE_DIR.zip"

echo "Setting up $APP_NAME $RELEASE on $INSTANCE_ID"
bash "$RELEASE_DIR/$SETUP_SCRIPT"

# When Auto Scaling takes this server out: stop the service, which lets it finish, then let the server go.
cat >/usr/local/sbin/leave-fleet <<'SCRIPT'
#!/bin/bash
set -uo pipefail
metadata() {
  local token
  token=$(curl -fs -m 2 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token) &&
    curl -fs -m 2 -H "X-aws-ec2-metadata-token: $token" "http://169.254.169.254/latest/meta-data/$1"
}
while [[ $(metadata autoscaling/target-lifecycle-state) != Terminated ]]; do sleep ${LIFECYCLE_POLL}; done
systemctl stop "$SERVICE"
group=$(aws autoscaling describe-auto-scaling-instances --instance-ids "$INSTANCE_ID" \\
  --query 'AutoScalingInstances[0].AutoScalingGroupName' --output text)
aws autoscaling complete-lifecycle-action --auto-scaling-group-name "$group" --instance-id "$INSTANCE_ID" \\
  --lifecycle-hook-name ${HOOK} --lifecycle-action-result CONTINUE
SCRIPT
cat >/etc/systemd/system/leave-fleet.service <<UNIT
[Unit]
Description=The orderly way out of the fleet
After=network-online.target
Wants=network-online.target

[Service]
Environment=SERVICE=$SERVICE INSTANCE_ID=$INSTANCE_ID AWS_DEFAULT_REGION=$AWS_REGION
ExecStart=/bin/bash /usr/local/sbin/leave-fleet
Restart=on-failure

[Install]
WantedBy=multi-user.target
UNIT
systemctl daemon-reload
systemctl enable -q --now leave-fleet

if [[ -n $TARGET_GROUP_ARN ]]; then
  health=unknown
  for _ in {1..120}; do
    health=$(aws elbv2 describe-target-health --target-group-arn "$TARGET_GROUP_ARN" --targets "Id=$INSTANCE_ID" \\
      --query 'TargetHealthDescriptions[0].TargetHealth.State' --output text || echo unknown)
    [[ $health == healthy ]] && break
    sleep 5
  done
  [[ $health == healthy ]] || fail "the balancer calls this server $health"
fi
signal SUCCESS
`.trim();
