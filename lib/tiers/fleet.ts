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
  /** VPC with private subnets that have a way out (NAT gateways): servers are spread over all of them. */
  readonly vpc: IVpc;

  /**
   * Graviton types, the preferred one first. One makes a plain group; several make a mixed instances policy, which spot
   * needs: the more types, the more spare capacity to choose from.
   */
  readonly instanceTypes: readonly InstanceType[];

  /** Fewest servers. Equal to `maxSize` is a fleet of fixed size. */
  readonly minSize: number;

  /** Most servers. */
  readonly maxSize: number;

  /**
   * Servers that are on demand in any case, before spot begins.
   *
   * @default 0
   */
  readonly onDemandBaseCapacity?: number;

  /**
   * Share of the servers beyond `onDemandBaseCapacity` that are on demand, in percent. What is left is spot.
   *
   * @default 100 (no spot)
   */
  readonly onDemandPercentageAboveBase?: number;

  /** Name of the app: its release is unpacked below `/opt/<name>/releases`. Lower-case letters, digits and dashes. */
  readonly appName: string;

  /** Folder with the built app, uploaded as an asset. It must run without an install step. */
  readonly bundle: string;

  /**
   * Bash script inside the bundle that makes the release the running one. It runs once, as root, when a server starts;
   * a non-zero exit code fails the deploy. `RELEASE_DIR` is the unpacked bundle. What the app writes to
   * `/var/log/<name>/app.log` is sent to the fleet's log group.
   */
  readonly setupScript: string;

  /**
   * What its servers are called, after the name of the stack.
   *
   * @default - the name of the service
   */
  readonly name?: string;

  /**
   * systemd unit that the script leaves running. Before a server ends, it is stopped, and the server waits for that.
   *
   * @default - the name of the app
   */
  readonly service?: string;

  /**
   * Environment of the set-up script. No secrets: whoever is on a server can read it. A change replaces the servers.
   *
   * @default - only `RELEASE_DIR` and `AWS_REGION`
   */
  readonly environment?: Readonly<Record<string, string>>;

  /**
   * Secrets that the servers may read (and decrypt) by their role.
   *
   * @default - none
   */
  readonly secrets?: readonly ISecret[];

  /**
   * Namespace in CloudWatch that the app publishes its own metrics in.
   *
   * @default - the app publishes none
   */
  readonly metricsNamespace?: string;

  /**
   * ARN of the balancer's target group. With one, a server counts as healthy when the balancer calls it so; without one,
   * when EC2 does.
   *
   * @default - no balancer
   */
  readonly targetGroupArn?: string;

  /**
   * How long a new server is left alone by health checks. It must be ready by then, or it is replaced.
   *
   * @default Duration.minutes(5)
   */
  readonly healthCheckGracePeriod?: Duration;

  /**
   * How long the metrics of a new server are left out of scaling decisions.
   *
   * @default Duration.minutes(2)
   */
  readonly defaultInstanceWarmup?: Duration;

  /**
   * How long CloudFormation waits for each new server to say that it serves, before it rolls the deploy back. At least
   * `healthCheckGracePeriod` and a minute.
   *
   * @default Duration.minutes(15)
   */
  readonly setupTimeout?: Duration;

  /**
   * Age at which a server is replaced, and so gets the newest image. From 1 to 365 days.
   *
   * @default Duration.days(30)
   */
  readonly maxInstanceLifetime?: Duration;

  /**
   * Image of new servers: an AMI id, or `resolve:ssm:` and the name of a parameter that holds one.
   *
   * @default - the newest Amazon Linux 2023 at the time a server starts
   */
  readonly image?: string;
}

/** Namespace of the metrics that the CloudWatch agent on the servers publishes. */
const HOST_METRICS = 'Host';

const NEWEST_AMAZON_LINUX = 'resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64';

/** Name of the hook inside its group. */
const HOOK = 'drain';

/**
 * A group of identical Amazon Linux 2023 servers over all private subnets, none of which holds any state.
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
 * A new release or setting is a new version of the launch template, and CloudFormation replaces the servers one after the
 * other: the next only when the one before has said that it serves, which it says when the balancer calls it healthy.
 * Otherwise all go back. A group has room for one more server during that only while it is below `maxSize`: a fleet of
 * fixed size is one server short meanwhile.
 *
 * There is no desired capacity in the template, because every deploy would set the fleet back to it. The image is resolved
 * by EC2 when a server starts, so a newer one is no difference to CloudFormation and rolls nothing; servers get it one by
 * one when they reach `maxInstanceLifetime`. Replacements of that kind start the new server before they end the old one.
 *
 * When a server is to go, the balancer deregisters it first; then the termination hook holds it until its service has
 * stopped. The root volume has AWS's own key: with a customer-managed one Auto Scaling could not start a server before its
 * service-linked role is let into the key, and there is nothing on it to keep.
 *
 * There is no SSH: `aws ssm start-session`.
 */
export class Fleet extends Construct implements IConnectable {
  readonly group: CfnAutoScalingGroup;
  /** The same group for constructs that take one, such as scaling policies. */
  readonly autoScalingGroup: IAutoScalingGroup;
  readonly launchTemplate: CfnLaunchTemplate;
  /** Rights that are added here are there before the first server. They must not name the group itself. */
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
      reason: 'The generated ends of the name of this one group; the policy must be there before the group is.',
    });
    this.autoScalingGroup = AutoScalingGroup.fromAutoScalingGroupName(this, 'Ref', this.group.ref);
  }

  /** Lets the servers wait for something that they need to become healthy, such as a database. */
  addLaunchDependency(...dependencies: IDependable[]): void {
    this.group.node.addDependency(...dependencies);
  }

  /** A metric of `AWS/EC2` over all servers, such as `CPUUtilization`. */
  metric(metricName: string, statistic: string): Metric {
    return this.metricOf('AWS/EC2', metricName, statistic);
  }

  /** A metric of `AWS/AutoScaling` about the group, such as `GroupInServiceInstances`. */
  metricGroup(metricName: string, statistic: string): Metric {
    return this.metricOf('AWS/AutoScaling', metricName, statistic);
  }

  /** Share of the memory in use, in percent. */
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
          // By its tags a server finds the group that its metrics are about.
          'ec2:DescribeTags',
          ...(props.targetGroupArn ? ['elasticloadbalancing:DescribeTargetHealth'] : []),
        ],
        resources: ['*'],
      }),
    );
    // By name, since the group comes after this policy: CloudFormation names it after the stack and its own id.
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
      reason: 'What AWS documents for Session Manager and Run Command; it replaces SSH and its keys.',
    });
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason:
        'PutMetricData, DescribeTargetHealth, DescribeTags and DescribeAutoScalingInstances know no resources; metrics are ' +
        'limited by their namespace.',
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
      // Servers that are replaced for their age or health: the new one first.
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
        // What could end a server that CloudFormation waits for.
        suspendProcesses: ['HealthCheck', 'ReplaceUnhealthy', 'AZRebalance', 'AlarmNotification', 'ScheduledActions'],
      },
    };
    group.node.addDependency(this.role, subnets.internetConnectivityEstablished);

    if (mixed) {
      Validations.of(group).acknowledge({
        id: 'AwsSolutions-EC26',
        reason: 'The rule cannot read a mixed instances policy; the volume is encrypted by the launch template.',
      });
    }
    Validations.of(group).acknowledge({
      id: 'AwsSolutions-AS3',
      reason: 'Servers come and go all day; what matters of it (too few, none healthy) has alarms.',
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
  if (instanceTypes.length === 0) throw new Error('Fleet: instanceTypes is empty: name one Graviton type at least');
  for (const type of instanceTypes) {
    if (type.architecture !== InstanceArchitecture.ARM_64) {
      throw new Error(`Fleet: instanceTypes ${type.toString()} is not arm64: choose a Graviton type`);
    }
  }
  if (!Number.isInteger(minSize) || minSize < 1) {
    throw new Error(`Fleet: minSize ${minSize} must be a whole number, 1 at least`);
  }
  if (!Number.isInteger(maxSize) || maxSize < minSize) {
    throw new Error(`Fleet: maxSize ${maxSize} must be a whole number, minSize (${minSize}) at least`);
  }
  if (!Number.isInteger(onDemandBaseCapacity) || onDemandBaseCapacity < 0 || onDemandBaseCapacity > maxSize) {
    throw new Error(
      `Fleet: onDemandBaseCapacity ${onDemandBaseCapacity} must be a whole number from 0 to maxSize (${maxSize})`,
    );
  }
  if (
    !Number.isInteger(onDemandPercentageAboveBase) ||
    onDemandPercentageAboveBase < 0 ||
    onDemandPercentageAboveBase > 100
  ) {
    throw new Error(
      `Fleet: onDemandPercentageAboveBase ${onDemandPercentageAboveBase} must be a whole number from 0 to 100`,
    );
  }
  for (const [prop, value] of Object.entries({ appName: props.appName, service: props.service })) {
    if (value !== undefined && !/^[a-z][a-z0-9-]*$/.test(value)) {
      throw new Error(`Fleet: ${prop} "${value}" must be lower-case letters, digits and dashes`);
    }
  }
  const grace = props.healthCheckGracePeriod ?? Duration.minutes(5);
  const setupTimeout = props.setupTimeout ?? Duration.minutes(15);
  if (setupTimeout.toSeconds() < grace.toSeconds() + 60 || setupTimeout.toSeconds() > 3600) {
    throw new Error(
      `Fleet: setupTimeout ${setupTimeout.toSeconds()} s must be at least healthCheckGracePeriod and a minute ` +
        `(${grace.toSeconds() + 60} s), and at most an hour`,
    );
  }
  const days = (props.maxInstanceLifetime ?? Duration.days(30)).toDays();
  if (days < 1 || days > 365) throw new Error(`Fleet: maxInstanceLifetime of ${days} days must be from 1 to 365 days`);
}

function exportLines(environment: Readonly<Record<string, string>>): string[] {
  return Object.entries(environment).map(([name, value]) => {
    if (!Token.isUnresolved(value) && /['\n]/.test(value)) {
      throw new Error(`Fleet: environment ${name}=${JSON.stringify(value)} must not contain quotes or newlines`);
    }
    return `export ${name}='${value}'`;
  });
}

/**
 * What any app needs from a server of a fleet: logs and memory told to CloudWatch, its release unpacked and set up, the way
 * out, and the word to CloudFormation.
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
