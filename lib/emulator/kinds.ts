import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient, DescribeLogGroupsCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  DescribeAddressesCommand,
  DescribeInstancesCommand,
  DescribeLaunchTemplatesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  DescribeVolumesCommand,
  DescribeVpcsCommand,
  EC2Client,
} from '@aws-sdk/client-ec2';
import { GetInstanceProfileCommand, GetRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import { GetKeyRotationStatusCommand, KMSClient } from '@aws-sdk/client-kms';
import { DescribeDBInstancesCommand, DescribeDBSubnetGroupsCommand, RDSClient } from '@aws-sdk/client-rds';
import { DescribeSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetTopicAttributesCommand, SNSClient } from '@aws-sdk/client-sns';

/** What is worth telling of a resource, by name. A fact that the template leaves to AWS is undefined. */
export type Facts = Readonly<Record<string, unknown>>;

/** Properties of a resource in a synthesized template. */
// biome-ignore lint/suspicious/noExplicitAny: a template's properties have no common type
export type Properties = Record<string, any>;

/** How resources of one type are told: what the template asked for, and what the service itself describes. */
export interface Kind {
  readonly asked: (properties: Properties) => Facts;
  /** @throws when the service does not know the resource */
  readonly found: (clients: Clients, physicalId: string) => Promise<Facts>;
  /** Names of facts that moto's CloudFormation drops on the way to its service. */
  readonly notPassedOn?: readonly string[];
}

export type Clients = ReturnType<typeof makeClients>;

export function makeClients(config: {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}) {
  return {
    ec2: new EC2Client(config),
    rds: new RDSClient(config),
    iam: new IAMClient(config),
    kms: new KMSClient(config),
    logs: new CloudWatchLogsClient(config),
    cloudwatch: new CloudWatchClient(config),
    sns: new SNSClient(config),
    secrets: new SecretsManagerClient(config),
  };
}

/** Types that are described by their own service; the others are told as CloudFormation lists them. */
export const kinds: Readonly<Record<string, Kind>> = {
  'AWS::EC2::Instance': {
    asked: (p) => ({ type: p.InstanceType }),
    found: async ({ ec2 }, id) => {
      const { Reservations } = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [id] }));
      const instance = only(Reservations?.flatMap((reservation) => reservation.Instances ?? []));
      return { type: instance.InstanceType, state: instance.State?.Name };
    },
  },
  'AWS::EC2::Volume': {
    asked: (p) => ({ type: p.VolumeType, size: gib(p.Size), iops: p.Iops, encrypted: p.Encrypted }),
    found: async ({ ec2 }, id) => {
      const volume = only((await ec2.send(new DescribeVolumesCommand({ VolumeIds: [id] }))).Volumes);
      const { VolumeType, Size, Iops, Encrypted, State } = volume;
      return { type: VolumeType, size: gib(Size), iops: Iops, encrypted: Encrypted, state: State };
    },
    notPassedOn: ['type', 'iops', 'encrypted'],
  },
  'AWS::EC2::VPC': {
    asked: (p) => ({ cidr: p.CidrBlock }),
    found: async ({ ec2 }, id) => ({
      cidr: only((await ec2.send(new DescribeVpcsCommand({ VpcIds: [id] }))).Vpcs).CidrBlock,
    }),
  },
  'AWS::EC2::Subnet': {
    asked: (p) => ({ cidr: p.CidrBlock }),
    found: async ({ ec2 }, id) => {
      const subnet = only((await ec2.send(new DescribeSubnetsCommand({ SubnetIds: [id] }))).Subnets);
      return { cidr: subnet.CidrBlock, az: subnet.AvailabilityZone };
    },
  },
  'AWS::EC2::SecurityGroup': {
    asked: (p) => ({ ports: ports(p.SecurityGroupIngress) }),
    found: async ({ ec2 }, id) => {
      const group = only((await ec2.send(new DescribeSecurityGroupsCommand({ GroupIds: [id] }))).SecurityGroups);
      return { rules: group.IpPermissions?.length };
    },
  },
  'AWS::EC2::EIP': {
    asked: () => ({}),
    found: async ({ ec2 }, ip) => ({
      ip: only((await ec2.send(new DescribeAddressesCommand({ PublicIps: [ip] }))).Addresses).PublicIp,
    }),
  },
  'AWS::EC2::LaunchTemplate': {
    asked: () => ({}),
    found: async ({ ec2 }, id) => {
      const { LaunchTemplates } = await ec2.send(new DescribeLaunchTemplatesCommand({ LaunchTemplateIds: [id] }));
      return { version: only(LaunchTemplates).LatestVersionNumber };
    },
  },
  'AWS::RDS::DBInstance': {
    asked: (p) => ({
      class: p.DBInstanceClass,
      // A read replica has those of its primary.
      engine: p.Engine && `${p.Engine} ${p.EngineVersion}`,
      storage: gib(p.AllocatedStorage),
      encrypted: p.StorageEncrypted,
      protected: p.DeletionProtection,
    }),
    found: async ({ rds }, id) => {
      const { DBInstances } = await rds.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: id }));
      const database = only(DBInstances);
      return {
        class: database.DBInstanceClass,
        engine: `${database.Engine} ${database.EngineVersion}`,
        storage: gib(database.AllocatedStorage),
        encrypted: database.StorageEncrypted,
        protected: database.DeletionProtection,
      };
    },
    notPassedOn: ['protected'],
  },
  'AWS::RDS::DBSubnetGroup': {
    asked: (p) => ({ subnets: p.SubnetIds?.length }),
    found: async ({ rds }, name) => {
      const { DBSubnetGroups } = await rds.send(new DescribeDBSubnetGroupsCommand({ DBSubnetGroupName: name }));
      return { subnets: only(DBSubnetGroups).Subnets?.length };
    },
  },
  'AWS::KMS::Key': {
    asked: (p) => ({ rotated: p.EnableKeyRotation }),
    found: async ({ kms }, id) => ({
      rotated: (await kms.send(new GetKeyRotationStatusCommand({ KeyId: id }))).KeyRotationEnabled,
    }),
  },
  'AWS::SecretsManager::Secret': {
    asked: () => ({}),
    found: async ({ secrets }, arn) => {
      await secrets.send(new DescribeSecretCommand({ SecretId: arn }));
      return {};
    },
  },
  'AWS::IAM::Role': {
    asked: () => ({}),
    found: async ({ iam }, name) => {
      await iam.send(new GetRoleCommand({ RoleName: name }));
      return {};
    },
  },
  'AWS::IAM::InstanceProfile': {
    asked: (p) => ({ roles: p.Roles?.length }),
    found: async ({ iam }, name) => {
      const { InstanceProfile } = await iam.send(new GetInstanceProfileCommand({ InstanceProfileName: name }));
      return { roles: InstanceProfile?.Roles?.length };
    },
  },
  'AWS::Logs::LogGroup': {
    asked: (p) => ({ days: p.RetentionInDays }),
    found: async ({ logs }, name) => {
      const { logGroups } = await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: name }));
      return { days: only(logGroups).retentionInDays };
    },
  },
  'AWS::SNS::Topic': {
    asked: () => ({}),
    found: async ({ sns }, arn) => {
      await sns.send(new GetTopicAttributesCommand({ TopicArn: arn }));
      return {};
    },
  },
  'AWS::CloudWatch::Alarm': {
    asked: (p) => ({ metric: p.MetricName, threshold: p.Threshold }),
    found: async ({ cloudwatch }, name) => {
      const { MetricAlarms } = await cloudwatch.send(new DescribeAlarmsCommand({ AlarmNames: [name] }));
      const alarm = only(MetricAlarms);
      return { metric: alarm.MetricName, threshold: alarm.Threshold };
    },
  },
};

function only<T>(found: readonly T[] | undefined): T {
  const [first] = found ?? [];
  if (first === undefined) throw new Error('not there');
  return first;
}

function gib(size: number | string | undefined): string | undefined {
  return size === undefined ? undefined : `${size} GiB`;
}

function ports(ingress: readonly Properties[] | undefined): string | undefined {
  return ingress?.map((rule) => rule.FromPort).join(' ');
}
