/** Where the AWS price list has a figure of the table. */
export interface Query {
  readonly service: string;
  /** Attributes that the product must have, besides its region. */
  readonly attributes: Readonly<Record<string, string>>;
  /** What its usage type ends with, behind the prefix of the region. */
  readonly usage?: string;
  /** The unit of the list divided by that of the table. */
  readonly factor?: number;
}

const SHARED_LINUX = {
  operatingSystem: 'Linux',
  tenancy: 'Shared',
  preInstalledSw: 'NA',
  capacitystatus: 'Used',
  marketoption: 'OnDemand',
};

/** The list sells throughput by GiB/s. */
const MIB_PER_GIB = 1024;

const queries: Readonly<Record<string, Query>> = {
  'alb.hour': {
    service: 'AWSELB',
    attributes: { productFamily: 'Load Balancer-Application' },
    usage: 'LoadBalancerUsage',
  },
  'alb.lcu': { service: 'AWSELB', attributes: { productFamily: 'Load Balancer-Application' }, usage: 'LCUUsage' },
  'nlb.hour': { service: 'AWSELB', attributes: { productFamily: 'Load Balancer-Network' }, usage: 'LoadBalancerUsage' },
  'nlb.lcu': { service: 'AWSELB', attributes: { productFamily: 'Load Balancer-Network' }, usage: 'LCUUsage' },
  'nat.hour': { service: 'AmazonEC2', attributes: { productFamily: 'NAT Gateway' }, usage: 'NatGateway-Hours' },
  'nat.data': { service: 'AmazonEC2', attributes: { productFamily: 'NAT Gateway' }, usage: 'NatGateway-Bytes' },
  'ebs.gp3.storage': {
    service: 'AmazonEC2',
    attributes: { productFamily: 'Storage', volumeApiName: 'gp3' },
    usage: 'EBS:VolumeUsage.gp3',
  },
  'ebs.gp3.iops': {
    service: 'AmazonEC2',
    attributes: { productFamily: 'System Operation', volumeApiName: 'gp3' },
    usage: 'EBS:VolumeP-IOPS.gp3',
  },
  'ebs.gp3.throughput': {
    service: 'AmazonEC2',
    attributes: { productFamily: 'Provisioned Throughput', volumeApiName: 'gp3' },
    usage: 'EBS:VolumeP-Throughput.gp3',
    factor: MIB_PER_GIB,
  },
  'ebs.snapshot': {
    service: 'AmazonEC2',
    attributes: { productFamily: 'Storage Snapshot' },
    usage: 'EBS:SnapshotUsage',
  },
  'rds.gp3.storage.single': rdsStorage('Single-AZ', 'RDS:GP3-Storage'),
  'rds.gp3.storage.multi': rdsStorage('Multi-AZ', 'RDS:Multi-AZ-GP3-Storage'),
};

/** How a figure is asked for; undefined for those that the table has from elsewhere. */
export function queryFor(key: string): Query | undefined {
  const [, instanceType] = /^ec2\.(.+\..+)$/.exec(key) ?? [];
  if (instanceType) return { service: 'AmazonEC2', attributes: { instanceType, ...SHARED_LINUX } };
  const [, databaseClass, zones] = /^rds\.postgres\.(db\..+)\.(single|multi)$/.exec(key) ?? [];
  if (databaseClass) {
    const deploymentOption = zones === 'multi' ? 'Multi-AZ' : 'Single-AZ';
    return {
      service: 'AmazonRDS',
      attributes: {
        productFamily: 'Database Instance',
        instanceType: databaseClass,
        databaseEngine: 'PostgreSQL',
        deploymentOption,
      },
    };
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
  return queries[key];
}

function rdsStorage(deploymentOption: string, usage: string): Query {
  const attributes = { productFamily: 'Database Storage', volumeType: 'General Purpose-GP3', deploymentOption };
  return { service: 'AmazonRDS', attributes: { ...attributes, databaseEngine: 'Any' }, usage };
}
