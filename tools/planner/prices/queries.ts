/** Query of the AWS price list for a price of the table. */
export interface Query {
  readonly service: string;
  /** Required product attributes, in addition to the region. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Usage type without the region prefix; several when the list has renamed it. */
  readonly usage?: string | readonly string[];
  /** Attribute of the region; `none` for a global price. */
  readonly region?: 'regionCode' | 'fromRegionCode' | 'none';
  /** Unit of the list divided by unit of the table. */
  readonly factor?: number;
}

/**
 * Returns the price list query for a key, or the reason why there is none.
 *
 * Every attribute name was seen in at least one published copy of the list. A query without a result, or with several
 * prices, is not accepted.
 */
export function queryFor(key: string): Query | string {
  const [, instanceType] = /^ec2\.(.+\..+)$/.exec(key) ?? [];
  if (instanceType) return { service: 'AmazonEC2', attributes: { instanceType, ...SHARED_LINUX } };
  const [, databaseClass, zones] = /^rds\.postgres\.(db\..+)\.(single|multi)$/.exec(key) ?? [];
  if (databaseClass) {
    const deploymentOption = zones === 'multi' ? 'Multi-AZ' : 'Single-AZ';
    return rds({ productFamily: 'Database Instance', instanceType: databaseClass, deploymentOption });
  }
  const [, engine, node] = /^elasticache\.(redis|valkey)\.(cache\..+)$/.exec(key) ?? [];
  if (engine && node) {
    const cacheEngine = engine === 'redis' ? 'Redis' : 'Valkey';
    return {
      service: 'AmazonElastiCache',
      attributes: { productFamily: 'Cache Instance', instanceType: node, cacheEngine },
      usage: `NodeUsage:${node}`,
    };
  }
  return queries[key] ?? 'no query defined for this key';
}

const SHARED_LINUX = {
  operatingSystem: 'Linux',
  tenancy: 'Shared',
  preInstalledSw: 'NA',
  capacitystatus: 'Used',
  marketoption: 'OnDemand',
};

/** The list prices throughput per GiB/s. */
const MIB_PER_GIB = 1024;

const APPLICATION = { productFamily: 'Load Balancer-Application' };
const NETWORK = { productFamily: 'Load Balancer-Network' };

const queries: Readonly<Record<string, Query | string>> = {
  'ebs.gp3.storage': {
    ...ec2({ productFamily: 'Storage', volumeApiName: 'gp3' }),
    usage: 'EBS:VolumeUsage.gp3',
  },
  'ebs.gp3.iops': {
    ...ec2({ productFamily: 'System Operation', volumeApiName: 'gp3' }),
    usage: 'EBS:VolumeP-IOPS.gp3',
  },
  'ebs.gp3.throughput': {
    ...ec2({ productFamily: 'Provisioned Throughput', volumeApiName: 'gp3' }),
    usage: 'EBS:VolumeP-Throughput.gp3',
    factor: MIB_PER_GIB,
  },
  'ebs.snapshot': { ...ec2({ productFamily: 'Storage Snapshot' }), usage: 'EBS:SnapshotUsage' },
  'ec2.credits': { ...ec2({ productFamily: 'CPU Credits', operatingSystem: 'Linux' }), usage: 'CPUCredits:t3' },
  'nat.hour': { ...ec2({ productFamily: 'NAT Gateway' }), usage: 'NatGateway-Hours' },
  'nat.data': { ...ec2({ productFamily: 'NAT Gateway' }), usage: 'NatGateway-Bytes' },

  'alb.hour': { service: 'AWSELB', attributes: APPLICATION, usage: 'LoadBalancerUsage' },
  'alb.lcu': { service: 'AWSELB', attributes: APPLICATION, usage: 'LCUUsage' },
  'nlb.hour': { service: 'AWSELB', attributes: NETWORK, usage: 'LoadBalancerUsage' },
  'nlb.lcu': { service: 'AWSELB', attributes: NETWORK, usage: 'LCUUsage' },
  'ipv4.hour': { service: 'AmazonVPC', attributes: {}, usage: 'PublicIPv4:InUseAddress' },
  'endpoint.hour': { service: 'AmazonVPC', attributes: { productFamily: 'VpcEndpoint' }, usage: 'VpcEndpoint-Hours' },
  'endpoint.data': { service: 'AmazonVPC', attributes: { productFamily: 'VpcEndpoint' }, usage: 'VpcEndpoint-Bytes' },

  'rds.gp3.storage.single': {
    ...rds({ productFamily: 'Database Storage', deploymentOption: 'Single-AZ' }),
    usage: 'RDS:GP3-Storage',
  },
  'rds.gp3.storage.multi': {
    ...rds({ productFamily: 'Database Storage', deploymentOption: 'Multi-AZ' }),
    usage: 'RDS:Multi-AZ-GP3-Storage',
  },
  'rds.gp3.iops.single': {
    ...rds({ productFamily: 'Provisioned IOPS', deploymentOption: 'Single-AZ' }),
    usage: 'RDS:GP3-PIOPS',
  },
  'rds.gp3.iops.multi': {
    ...rds({ productFamily: 'Provisioned IOPS', deploymentOption: 'Multi-AZ' }),
    usage: 'RDS:Multi-AZ-GP3-PIOPS',
  },
  'rds.backup': { ...rds({ productFamily: 'Storage Snapshot' }), usage: 'RDS:ChargedBackupUsage' },
  'rds.credits': { ...rds({ productFamily: 'CPU Credits' }), usage: 'CPUCredits:db.t4g' },
  'rds.proxy': { ...rds({}), usage: 'RDS:ProxyUsage' },
  'aurora.capacity': { ...aurora(), usage: 'Aurora:ServerlessV2Usage' },
  'aurora.storage': { ...aurora(), usage: 'Aurora:StorageUsage' },
  'aurora.io': { ...aurora(), usage: 'Aurora:StorageIOUsage' },
  'elasticache.backup': { service: 'AmazonElastiCache', attributes: { productFamily: 'Storage Snapshot' } },
  'dynamodb.reads': { service: 'AmazonDynamoDB', attributes: {}, usage: 'ReadRequestUnits' },
  'dynamodb.writes': { service: 'AmazonDynamoDB', attributes: {}, usage: 'WriteRequestUnits' },
  'dynamodb.storage': { service: 'AmazonDynamoDB', attributes: {}, usage: 'TimedStorage-ByteHrs' },

  'transfer.zone': transfer('IntraRegion', 'DataTransfer-Regional-Bytes'),
  'transfer.internet': transfer('AWS Outbound', 'DataTransfer-Out-Bytes'),
  'transfer.region': 'the list has a price per pair of regions, the table has one for all',
  'cloudfront.data': everywhere('AmazonCloudFront', 'US-DataTransfer-Out-Bytes'),
  'cloudfront.requests.https': everywhere('AmazonCloudFront', 'US-Requests-Tier2-HTTPS'),
  'accelerator.hour': 'the list has the data transfer of accelerators, not the fixed fee',
  'route53.zone': everywhere('AmazonRoute53', 'HostedZone'),
  'route53.queries': everywhere('AmazonRoute53', 'DNS-Queries'),
  'route53.queries.latency': everywhere('AmazonRoute53', 'LBR-Queries'),
  'route53.healthCheck': everywhere('AmazonRoute53', 'Health-Check-AWS'),
  'route53.healthCheck.outside': everywhere('AmazonRoute53', 'Health-Check-Non-AWS'),
  'waf.acl': { service: 'awswaf', attributes: {}, usage: 'WebACLV2' },
  'waf.rule': { service: 'awswaf', attributes: {}, usage: 'RuleV2' },
  'waf.requests': { service: 'awswaf', attributes: {}, usage: ['RequestV2-Tier1', 'RequestV2-Tier0'] },

  's3.storage': { service: 'AmazonS3', attributes: { productFamily: 'Storage' }, usage: 'TimedStorage-ByteHrs' },
  's3.put': { service: 'AmazonS3', attributes: { productFamily: 'API Request' }, usage: 'Requests-Tier1' },
  's3.get': { service: 'AmazonS3', attributes: { productFamily: 'API Request' }, usage: 'Requests-Tier2' },
  'sqs.standard': { service: 'AWSQueueService', attributes: { queueType: 'Standard' } },
  'sqs.fifo': { service: 'AWSQueueService', attributes: { queueType: 'FIFO (first-in, first-out)' } },
  'lambda.requests': { service: 'AWSLambda', attributes: {}, usage: 'Request' },
  'lambda.duration.amd64': { service: 'AWSLambda', attributes: {}, usage: 'Lambda-GB-Second' },
  'lambda.duration.arm64': { service: 'AWSLambda', attributes: {}, usage: 'Lambda-GB-Second-ARM' },
  'secrets.secret': { service: 'AWSSecretsManager', attributes: { productFamily: 'Secret' } },
  'secrets.calls': { service: 'AWSSecretsManager', attributes: { productFamily: 'API Request' } },
  'kms.key': { service: 'awskms', attributes: {}, usage: 'KMS-Keys' },
  'kms.calls': { service: 'awskms', attributes: {}, usage: 'KMS-Requests' },
  'cloudwatch.alarm': { service: 'AmazonCloudWatch', attributes: {}, usage: 'CW:AlarmMonitorUsage' },
  'cloudwatch.dashboard': everywhere('AmazonCloudWatch', 'DashboardsUsageHour'),
  'cloudwatch.metric': { service: 'AmazonCloudWatch', attributes: {}, usage: 'CW:MetricMonitorUsage' },
  'logs.ingest': { service: 'AmazonCloudWatch', attributes: {}, usage: 'DataProcessing-Bytes' },
  'logs.storage': { service: 'AmazonCloudWatch', attributes: {}, usage: 'TimedStorage-ByteHrs' },
};

function ec2(attributes: Query['attributes']): Query {
  return { service: 'AmazonEC2', attributes };
}

function rds(attributes: Query['attributes']): Query {
  return { service: 'AmazonRDS', attributes: { databaseEngine: 'PostgreSQL', ...attributes } };
}

function aurora(): Query {
  return { service: 'AmazonRDS', attributes: { databaseEngine: 'Aurora PostgreSQL' } };
}

function transfer(transferType: string, usage: string): Query {
  return { service: 'AWSDataTransfer', attributes: { transferType }, usage, region: 'fromRegionCode' };
}

/** A global price. For CloudFront that of edge locations in the United States: visitors' locations determine the price. */
function everywhere(service: string, usagetype: string): Query {
  return { service, attributes: { usagetype }, region: 'none' };
}
