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

/** What is worth telling of a resource, by name. A fact that the template leaves to AWS is undefined. */
export type Facts = Readonly<Record<string, unknown>>;

/** Properties of a resource in a synthesized template. */
// biome-ignore lint/suspicious/noExplicitAny: a template's properties have no common type
export type Properties = Record<string, any>;

/** How resources of one type are told: what the template asked for, and what the service itself describes. */
export interface Kind {
  readonly asked: (properties: Properties) => Facts;
  /**
   * @param asked for kinds with an open list of attributes: only those that were asked for are told
   * @throws when the service does not know the resource
   */
  readonly found: (clients: Clients, physicalId: string, asked: Facts) => Promise<Facts>;
  /** Names of facts that moto's CloudFormation drops on the way to its service. */
  readonly notPassedOn?: readonly string[];
}

/** Kinds by the type of their resource in a template. */
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

/** The one resource that was asked for. */
export function only<T>(found: readonly T[] | undefined): T {
  const [first] = found ?? [];
  if (first === undefined) throw new Error('not there');
  return first;
}

export function gib(size: number | string | undefined): string | undefined {
  return size === undefined ? undefined : `${size} GiB`;
}
