import { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { EC2Client } from '@aws-sdk/client-ec2';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { ElastiCacheClient } from '@aws-sdk/client-elasticache';
import { IAMClient } from '@aws-sdk/client-iam';
import { KMSClient } from '@aws-sdk/client-kms';
import { RDSClient } from '@aws-sdk/client-rds';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';

/** Settings of a resource to compare, by name. A setting that the template leaves to AWS is undefined. */
export type Facts = Readonly<Record<string, unknown>>;

/** Properties of a resource in a synthesized template. */
// biome-ignore lint/suspicious/noExplicitAny: a template's properties have no common type
export type Properties = Record<string, any>;

/** Reads the facts of one resource type from a template and from its service. */
export interface Kind {
  /** Returns the facts that the template sets. */
  readonly expected: (properties: Properties) => Facts;
  /**
   * Returns the facts that the service describes.
   *
   * @param expected facts of the template, which limit an open list of attributes
   * @throws if the resource does not exist
   */
  readonly found: (clients: Clients, physicalId: string, expected: Facts) => Promise<Facts>;
  /** Names of facts that moto's CloudFormation does not pass on to the service. */
  readonly notPassedOn?: readonly string[];
}

/** Kinds by CloudFormation resource type. */
export type Kinds = Readonly<Record<string, Kind>>;

export type Clients = ReturnType<typeof makeClients>;

export function makeClients(config: {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}) {
  return {
    autoScaling: new AutoScalingClient(config),
    balancing: new ElasticLoadBalancingV2Client(config),
    cache: new ElastiCacheClient(config),
    ec2: new EC2Client(config),
    rds: new RDSClient(config),
    iam: new IAMClient(config),
    kms: new KMSClient(config),
    logs: new CloudWatchLogsClient(config),
    cloudwatch: new CloudWatchClient(config),
    sns: new SNSClient(config),
    secrets: new SecretsManagerClient(config),
    sqs: new SQSClient(config),
  };
}

/** Returns the first and only resource of a response. */
export function only<T>(found: readonly T[] | undefined): T {
  const [first] = found ?? [];
  if (first === undefined) throw new Error('resource not found');
  return first;
}

export function gib(size: number | string | undefined): string | undefined {
  return size === undefined ? undefined : `${size} GiB`;
}
