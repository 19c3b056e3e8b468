import { Size } from 'aws-cdk-lib';
import { InstanceType } from 'aws-cdk-lib/aws-ec2';

/** What one box is made of. */
export interface BoxSize {
  readonly instanceType: InstanceType;
  readonly vcpus: number;
  readonly memoryGib: number;
  readonly dataSize: Size;
  readonly dataIops: number;
  /** MiB/s. */
  readonly dataThroughput: number;
}

export type BoxSizeName = keyof typeof sizes;

/**
 * The vertical ladder, bottom up. Each step is an in-place stop and start: same instance, same volume, no code change.
 * Every type is Graviton on Nitro, so that any may follow any; a disk is never smaller than the one before it, because
 * a volume cannot shrink.
 *
 * The instance types are those that AWS lists with these figures; up to `32vcpu` m7g keeps 4 GiB per vCPU, and the top
 * step buys memory for the database with r7g.
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

function size(
  instanceType: string,
  vcpus: number,
  memoryGib: number,
  dataGib: number,
  dataIops: number,
  dataThroughput: number,
): BoxSize {
  return {
    instanceType: new InstanceType(instanceType),
    vcpus,
    memoryGib,
    dataSize: Size.gibibytes(dataGib),
    dataIops,
    dataThroughput,
  };
}
