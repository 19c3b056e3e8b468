/** Size of a machine in phases 1 to 3. Plain numbers and strings, so that tools read it without the CDK. */
export interface BoxSize {
  readonly instanceType: string;
  readonly vcpus: number;
  readonly memoryGib: number;
  readonly dataGib: number;
  readonly dataIops: number;
  /** MiB/s. */
  readonly dataThroughput: number;
}

export type BoxSizeName = keyof typeof sizes;

/**
 * The vertical ladder, smallest first. A change of size stops and starts the same instance with the same volume.
 * Every type is Graviton on Nitro, so any size can follow any other. No data volume is smaller than the one before it,
 * because an EBS volume cannot shrink.
 *
 * The sizes up to `32vcpu` are m7g with 4 GiB per vCPU. The largest is r7g, for the memory that the database needs.
 *
 * @see https://docs.aws.amazon.com/ec2/latest/instancetypes/gp.html
 */
export const sizes = {
  launch: size('t4g.medium', 2, 4, 500, 3000, 125),
  growth: size('m7g.xlarge', 4, 16, 1000, 6000, 250),
  '8vcpu': size('m7g.2xlarge', 8, 32, 1000, 8000, 400),
  '16vcpu': size('m7g.4xlarge', 16, 64, 2000, 12_000, 500),
  '32vcpu': size('m7g.8xlarge', 32, 128, 2000, 16_000, 750),
  '64vcpu': size('r7g.16xlarge', 64, 512, 4000, 16_000, 1000),
} as const;

/**
 * Instance types of the fleets in phase 4, the preferred one for On-Demand first. All have the same vCPUs, so each
 * server carries about the same load. Two families in two generations are four capacity pools in each zone.
 */
export const ELASTIC_INSTANCE_TYPES = ['c7g.large', 'm7g.large', 'c6g.large', 'm6g.large'] as const;

/** vCPUs of each of `ELASTIC_INSTANCE_TYPES`. */
export const ELASTIC_VCPUS = 2;

/** Default class of lib/tiers/database.ts, whose file stands alone. */
export const DEFAULT_DATABASE_CLASS = 'db.t4g.medium';

/** Largest values of settings such as `-c servers=100`. */
export const MAX_SETTINGS = { servers: 100, minServers: 100, maxServers: 500, maxWorkers: 100 } as const;

function size(
  instanceType: string,
  vcpus: number,
  memoryGib: number,
  dataGib: number,
  dataIops: number,
  dataThroughput: number,
): BoxSize {
  return { instanceType, vcpus, memoryGib, dataGib, dataIops, dataThroughput };
}
