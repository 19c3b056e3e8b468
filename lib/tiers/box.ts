import { Arn, Aws, Duration, RemovalPolicy, type Size, Stack, Tags, Token, Validations } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import {
  CfnEIP,
  CfnEIPAssociation,
  CfnInstance,
  CfnLaunchTemplate,
  CfnSubnet,
  CfnVolume,
  CfnVolumeAttachment,
  type Connections,
  type IConnectable,
  InstanceArchitecture,
  type InstanceType,
  type ISubnet,
  type IVpc,
  Peer,
  Port,
  SecurityGroup,
  SubnetType,
} from 'aws-cdk-lib/aws-ec2';
import { InstanceProfile, ManagedPolicy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { CfnAssociation } from 'aws-cdk-lib/aws-ssm';
import { Construct, type IDependable } from 'constructs';

export interface BoxProps {
  /** VPC with public subnets. The instance and its data volume are in the availability zone of the first one. */
  readonly vpc: IVpc;

  /** KMS key that encrypts the data volume. */
  readonly encryptionKey: IKey;

  /** Any Nitro-based Graviton type. A change stops and starts the instance: one or two minutes of downtime. */
  readonly instanceType: InstanceType;

  /**
   * Size of the data volume, mounted at `/data`. It can grow, together with its file system, but not shrink. EBS allows one
   * modification every 6 hours.
   */
  readonly dataSize: Size;

  /**
   * Provisioned IOPS of the data volume: 3000 to 16000, at most 500 per GiB.
   *
   * @default 3000 (included in the price of a gp3 volume)
   */
  readonly dataIops?: number;

  /**
   * Provisioned throughput of the data volume, in MiB/s: 125 to 1000, at most a quarter of the IOPS.
   *
   * @default 125 (included in the price of a gp3 volume)
   */
  readonly dataThroughput?: number;

  /** Name of the app: lowercase letters, digits and dashes. Releases are unpacked to `/opt/<name>/releases`. */
  readonly appName: string;

  /** Directory with the built app, uploaded as an asset. The app must run without an install step. */
  readonly bundle: string;

  /**
   * Bash script inside the bundle that starts a release. It runs as root whenever the bundle, `environment`, instance type or
   * volume size changes, and must be idempotent. A non-zero exit code fails the deploy. `RELEASE_DIR` is the unpacked bundle.
   */
  readonly setupScript: string;

  /**
   * Environment variables of the setup script. Must not contain secrets: they are readable in the template and in Systems
   * Manager.
   *
   * @default - only `RELEASE_DIR` and `AWS_REGION`
   */
  readonly environment?: Readonly<Record<string, string>>;

  /**
   * Secrets that the instance's role may read and decrypt.
   *
   * @default - none
   */
  readonly secrets?: readonly ISecret[];

  /** TCP ports open to the internet. */
  readonly openPorts: readonly number[];

  /**
   * Reason to turn termination protection off, recorded in the template's metadata. A change causes no interruption.
   *
   * @default - termination protection is on
   */
  readonly unprotectedBecause?: string;

  /**
   * How long CloudFormation waits for the setup to succeed before it rolls back.
   *
   * @default Duration.minutes(30)
   */
  readonly setupTimeout?: Duration;
}

/** CloudWatch namespace of the agent's metrics. */
const HOST_METRICS = 'Host';

/** SSM parameter with the latest Amazon Linux 2023 AMI. */
const IMAGE = 'resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64';

/**
 * One Amazon Linux 2023 instance with a data volume and an Elastic IP address, set up by Systems Manager.
 *
 *     const box = new Box(this, 'Box', {
 *       vpc: network.vpc,
 *       encryptionKey: stateKey.key,
 *       instanceType: new InstanceType('t4g.medium'),
 *       dataSize: Size.gibibytes(500),
 *       appName: 'shop',
 *       bundle: 'dist/app',
 *       setupScript: 'host/configure.sh',
 *       openPorts: [80],
 *     });
 *
 * No deploy replaces the instance. EC2 resolves its AMI at launch, so a new image is not a change to CloudFormation (a
 * "latest AMI" parameter would replace the instance and orphan its volume). The launch template contains only immutable
 * settings, and the instance is pinned to its version 1. Type, role and security group are set on the instance. There is no
 * user data: a new release or setting changes the parameters of an SSM association, which runs again, and CloudFormation
 * waits for it to succeed.
 *
 * Store state on `/data`. The root volume is deleted with the instance. There is no SSH access: use `aws ssm start-session`.
 *
 * Fixed cost: $72 a month in phases 1 and 2, plus usage (us-east-1, prices of 2024-07 to 2026-07;
 * `npm run cost -- phase-2`).
 *
 * @see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/create-launch-template.html#use-an-ssm-parameter-instead-of-an-ami-id
 */
export class Box extends Construct implements IConnectable {
  readonly instance: CfnInstance;
  readonly role: Role;
  readonly connections: Connections;
  /** Elastic IP address. It survives a stop or replacement of the instance. */
  readonly publicIp: string;
  readonly dataVolume: CfnVolume;
  readonly dataVolumeArn: string;
  private readonly securityGroup: SecurityGroup;
  private readonly addressAssociation: CfnEIPAssociation;
  private readonly dataVolumeAttachment: CfnVolumeAttachment;
  private readonly setup: CfnAssociation;

  constructor(scope: Construct, id: string, props: BoxProps) {
    super(scope, id);
    validate(props);

    this.securityGroup = this.makeSecurityGroup(props);
    this.connections = this.securityGroup.connections;
    this.role = this.makeRole(props);
    this.instance = this.makeInstance(props);

    const address = new CfnEIP(this, 'Address', { domain: 'vpc' });
    Tags.of(address).add('Name', `${Aws.STACK_NAME}-box`);
    this.publicIp = address.attrPublicIp;
    this.addressAssociation = this.attachAddress(address, props);

    this.dataVolume = this.makeDataVolume(props);
    this.dataVolumeAttachment = new CfnVolumeAttachment(this, 'DataVolumeAttachment', {
      instanceId: this.instanceId,
      volumeId: this.dataVolume.ref,
      device: '/dev/sdf',
    });
    // Termination of the instance detaches the volume. An explicit detach of a mounted volume never completes.
    this.dataVolumeAttachment.applyRemovalPolicy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE);
    this.dataVolumeArn = Arn.format(
      { service: 'ec2', resource: 'volume', resourceName: this.dataVolume.ref },
      Stack.of(this),
    );
    this.setup = this.makeSetup(props);
  }

  /** Instance id, for `aws ssm start-session --target`. */
  get instanceId(): string {
    return this.instance.ref;
  }

  /** Runs the setup only after these dependencies exist, such as the rule that lets the app reach its database. */
  addSetupDependency(...dependencies: IDependable[]): void {
    this.setup.node.addDependency(...dependencies);
  }

  /** Returns an `AWS/EC2` metric of the instance, such as `CPUUtilization`. */
  metric(metricName: string, statistic: string): Metric {
    return new Metric({ namespace: 'AWS/EC2', metricName, statistic, dimensionsMap: { InstanceId: this.instanceId } });
  }

  /** Returns an `AWS/EBS` metric of the data volume, such as `VolumeWriteOps`. */
  metricDataVolume(metricName: string, statistic: string): Metric {
    return new Metric({
      namespace: 'AWS/EBS',
      metricName,
      statistic,
      dimensionsMap: { VolumeId: this.dataVolume.ref },
    });
  }

  /** Returns the memory utilization, in percent. */
  metricMemoryUsed(): Metric {
    return new Metric({
      namespace: HOST_METRICS,
      metricName: 'mem_used_percent',
      statistic: 'Average',
      dimensionsMap: { InstanceId: this.instanceId },
    });
  }

  /** Returns the utilization of a file system, in percent. */
  metricDiskUsed(path: '/' | '/data'): Metric {
    return new Metric({
      namespace: HOST_METRICS,
      metricName: 'disk_used_percent',
      statistic: 'Maximum',
      dimensionsMap: { InstanceId: this.instanceId, path, fstype: 'xfs' },
    });
  }

  private makeSecurityGroup(props: BoxProps): SecurityGroup {
    const group = new SecurityGroup(this, 'SecurityGroup', {
      vpc: props.vpc,
      description: 'The box: visitors in, AWS and package repositories out',
      allowAllOutbound: false,
    });
    for (const port of props.openPorts) {
      group.addIngressRule(Peer.anyIpv4(), Port.tcp(port), `Visitors on port ${port}`);
    }
    group.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'AWS APIs, package repositories, certificate authority');
    Validations.of(group).acknowledge({
      id: 'AwsSolutions-EC23',
      reason: 'The instance serves a public site directly. Only its web ports are open.',
    });
    return group;
  }

  private makeRole(props: BoxProps): Role {
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('ec2.amazonaws.com'),
      managedPolicies: [ManagedPolicy.fromAwsManagedPolicyName('AmazonSSMManagedInstanceCore')],
    });
    role.addToPolicy(
      new PolicyStatement({
        actions: ['cloudwatch:PutMetricData'],
        resources: ['*'],
        conditions: { StringEquals: { 'cloudwatch:namespace': HOST_METRICS } },
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
        'PutMetricData has no resource-level permissions. A condition limits it to the namespace of the host metrics.',
    });
    return role;
  }

  private makeInstance(props: BoxProps): CfnInstance {
    const launchTemplate = new CfnLaunchTemplate(this, 'LaunchTemplate', {
      launchTemplateData: {
        imageId: IMAGE,
        metadataOptions: { httpEndpoint: 'enabled', httpTokens: 'required', httpPutResponseHopLimit: 1 },
        maintenanceOptions: { autoRecovery: 'default' },
        blockDeviceMappings: [
          {
            deviceName: '/dev/xvda',
            ebs: { volumeType: 'gp3', volumeSize: 20, encrypted: true, deleteOnTermination: true },
          },
        ],
      },
    });
    const profile = new InstanceProfile(this, 'InstanceProfile', { role: this.role });

    const instance = new CfnInstance(this, 'Instance', {
      // Pinned, because a different version would replace the instance.
      launchTemplate: { launchTemplateId: launchTemplate.ref, version: '1' },
      instanceType: props.instanceType.toString(),
      subnetId: firstSubnet(props.vpc).subnetId,
      securityGroupIds: [this.securityGroup.securityGroupId],
      iamInstanceProfile: profile.instanceProfileName,
      monitoring: true,
      disableApiTermination: !props.unprotectedBecause,
    });
    if (props.unprotectedBecause) {
      instance.addMetadata('UnprotectedBecause', props.unprotectedBecause);
      Validations.of(instance).acknowledge({ id: 'AwsSolutions-EC29', reason: props.unprotectedBecause });
    }
    Tags.of(instance).add('Name', `${Aws.STACK_NAME}-box`);
    return instance;
  }

  private attachAddress(address: CfnEIP, props: BoxProps): CfnEIPAssociation {
    const association = new CfnEIPAssociation(this, 'AddressAssociation', {
      allocationId: address.attrAllocationId,
      instanceId: this.instanceId,
    });
    association.node.addDependency(firstSubnet(props.vpc).internetConnectivityEstablished);
    return association;
  }

  private makeDataVolume(props: BoxProps): CfnVolume {
    const volume = new CfnVolume(this, 'DataVolume', {
      availabilityZone: zoneOf(firstSubnet(props.vpc)),
      volumeType: 'gp3',
      size: props.dataSize.toGibibytes(),
      iops: props.dataIops ?? 3000,
      throughput: props.dataThroughput ?? 125,
      encrypted: true,
      kmsKeyId: props.encryptionKey.keyArn,
    });
    volume.applyRemovalPolicy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE);
    Tags.of(volume).add('Name', `${Aws.STACK_NAME}-data`);
    return volume;
  }

  private makeSetup(props: BoxProps): CfnAssociation {
    const bundle = new Asset(this, 'Bundle', { path: props.bundle });
    const { policyDependable } = this.role.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ['s3:GetObject'],
        resources: [bundle.bucket.arnForObjects(bundle.s3ObjectKey)],
      }),
    );

    const timeout = (props.setupTimeout ?? Duration.minutes(30)).toSeconds();
    const setup = new CfnAssociation(this, 'Setup', {
      name: 'AWS-RunShellScript',
      targets: [{ key: 'InstanceIds', values: [this.instanceId] }],
      parameters: {
        commands: [
          '#!/bin/bash',
          ...exportLines({
            AWS_REGION: Aws.REGION,
            APP_NAME: props.appName,
            INSTANCE_TYPE: props.instanceType.toString(),
            DATA_VOLUME_ID: this.dataVolume.ref,
            DATA_GIB: String(props.dataSize.toGibibytes()),
            BUNDLE_URL: bundle.s3ObjectUrl,
            RELEASE: bundle.assetHash,
            SETUP_SCRIPT: props.setupScript,
            ...props.environment,
          }),
          ...SETUP_LINES,
        ],
        executionTimeout: [String(timeout)],
      },
      waitForSuccessTimeoutSeconds: timeout,
    });
    setup.node.addDependency(this.addressAssociation, this.dataVolumeAttachment);
    if (policyDependable) setup.node.addDependency(policyDependable);
    return setup;
  }
}

function validate(props: BoxProps): void {
  if (props.instanceType.architecture !== InstanceArchitecture.ARM_64) {
    throw new Error(`Box: instanceType must be arm64, got ${props.instanceType.toString()}. Choose a Graviton type.`);
  }
  if (!/^[a-z][a-z0-9-]*$/.test(props.appName)) {
    throw new Error(`Box: appName must be lowercase letters, digits and dashes, got "${props.appName}".`);
  }
  const iops = props.dataIops ?? 3000;
  const throughput = props.dataThroughput ?? 125;
  const gib = props.dataSize.toGibibytes();
  if (iops < 3000 || iops > 16_000 || iops > Math.max(3000, gib * 500)) {
    throw new Error(`Box: dataIops must be from 3000 to 16000 and at most 500 per GiB, got ${iops}.`);
  }
  if (throughput < 125 || throughput > 1000 || throughput > iops / 4) {
    throw new Error(
      `Box: dataThroughput must be from 125 to 1000 MiB/s and at most a quarter of the IOPS, got ${throughput} MiB/s.`,
    );
  }
}

/** Always the first subnet, because instance and volume cannot move to another zone. */
function firstSubnet(vpc: IVpc): ISubnet {
  const subnet = vpc.selectSubnets({ subnetType: SubnetType.PUBLIC }).subnets[0];
  if (!subnet) throw new Error('Box: vpc must have a public subnet, got none.');
  return subnet;
}

/** The actual zone of the subnet. `availabilityZone` may be `Fn.select` on the region's list, whose order can change. */
function zoneOf(subnet: ISubnet): string {
  const resource = subnet.node.defaultChild;
  return resource instanceof CfnSubnet ? resource.attrAvailabilityZone : subnet.availabilityZone;
}

function exportLines(environment: Readonly<Record<string, string>>): string[] {
  return Object.entries(environment).map(([name, value]) => {
    if (!Token.isUnresolved(value) && /['\n]|\{\{/.test(value)) {
      throw new Error(
        `Box: environment variable ${name} must not contain quotes, newlines or {{, got ${JSON.stringify(value)}.`,
      );
    }
    return `export ${name}='${value}'`;
  });
}

/**
 * App-independent part of the setup: mounts and grows the data volume, installs the CloudWatch agent, unpacks the release.
 * It is idempotent. It must not contain double braces, which Systems Manager parses as a parameter.
 */
const SETUP_LINES = `
set -euo pipefail
umask 022
fail() { echo "error: $*" >&2; exit 1; }

exec 9>/run/box-setup.lock
flock -w 900 9 || fail 'another set-up has been running for 15 minutes'

device=/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_$(tr -d - <<<"$DATA_VOLUME_ID")
for _ in {1..60}; do [[ -b $device ]] && break; sleep 5; done
[[ -b $device ]] || fail "data volume $DATA_VOLUME_ID did not appear as $device within 5 minutes"

# blkid answers 2 for a device without any signature, but also for one that it cannot read: formatted is only what reads
# as zeros, as a new volume does.
status=0
content=$(blkid -p -o value -s TYPE "$device") || status=$?
case "$status:$content" in
  0:xfs) ;;
  2:)
    cmp -s -n 1048576 "$device" /dev/zero || fail "data volume $DATA_VOLUME_ID is neither xfs nor blank: it is left alone"
    mkfs.xfs -q "$device"
    ;;
  *) fail "data volume $DATA_VOLUME_ID holds \\"$content\\" (blkid $status), expected xfs or zeros: it is left alone" ;;
esac

uuid=$(blkid -p -o value -s UUID "$device")
mount_line="UUID=$uuid /data xfs noatime,nofail,x-systemd.device-timeout=60 0 0"
if ! grep -qxF "$mount_line" /etc/fstab; then
  sed -i '\\#^[^ ]* /data #d' /etc/fstab
  echo "$mount_line" >>/etc/fstab
  systemctl daemon-reload
fi
mkdir -p /data
mountpoint -q /data || mount /data
[[ $(findmnt -no UUID /data) == "$uuid" ]] || fail "something other than data volume $DATA_VOLUME_ID is mounted at /data"

for _ in {1..60}; do
  (( $(blockdev --getsize64 "$device") >= DATA_GIB * 1024 ** 3 )) && break
  sleep 5
done
(( $(blockdev --getsize64 "$device") >= DATA_GIB * 1024 ** 3 )) || fail "data volume $DATA_VOLUME_ID is smaller than $DATA_GIB GiB"
xfs_growfs -d /data >/dev/null

rpm -q --quiet amazon-cloudwatch-agent || dnf install -y -q amazon-cloudwatch-agent
agent=/opt/aws/amazon-cloudwatch-agent
cat >"$agent/etc/box.json.new" <<'JSON'
{
  "agent": { "metrics_collection_interval": 60, "run_as_user": "cwagent" },
  "metrics": {
    "namespace": "${HOST_METRICS}",
    "append_dimensions": { "InstanceId": "$\{aws:InstanceId}" },
    "metrics_collected": {
      "mem": { "measurement": ["mem_used_percent"] },
      "disk": { "measurement": ["used_percent"], "resources": ["/", "/data"], "drop_device": true }
    }
  }
}
JSON
if ! cmp -s "$agent/etc/box.json.new" "$agent/etc/box.json"; then
  mv "$agent/etc/box.json.new" "$agent/etc/box.json"
  "$agent/bin/amazon-cloudwatch-agent-ctl" -a fetch-config -m ec2 -s -c "file:$agent/etc/box.json" >/dev/null
fi

releases=/opt/$APP_NAME/releases
export RELEASE_DIR=$releases/$RELEASE
if [[ ! -d $RELEASE_DIR ]]; then
  mkdir -p "$releases"
  draft=$(mktemp -d "$releases/.draft-XXXXXX")
  trap 'rm -rf "$draft" "$draft.zip"' EXIT
  # A policy that was just changed takes some seconds to be known everywhere.
  for attempt in {1..20}; do
    aws s3 cp --only-show-errors "$BUNDLE_URL" "$draft.zip" && break
    (( attempt < 20 )) || fail "cannot download $BUNDLE_URL"
    sleep 6
  done
  python3 -m zipfile -e "$draft.zip" "$draft" || fail "cannot unpack $BUNDLE_URL"
  chmod 755 "$draft"
  rm -f "$draft.zip"
  mv "$draft" "$RELEASE_DIR"
fi

echo "Setting up $APP_NAME $RELEASE on $INSTANCE_TYPE with $DATA_GIB GiB"
exec bash "$RELEASE_DIR/$SETUP_SCRIPT"
`
  .trim()
  .split('\n');
