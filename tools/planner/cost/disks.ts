import { asList, asNumber, asText, type Charge, fixed, type Pricer, type Properties } from './charges';

/** Included in the gp3 storage price. */
const GP3_IOPS = 3000;
const GP3_MBPS = 125;

export interface Disk {
  readonly type: string;
  readonly gib: number | undefined;
  readonly iops: number | undefined;
  /** MiB/s. */
  readonly throughput: number | undefined;
}

/** EBS volumes in the block device mappings. Volumes that only the AMI defines are unknown. */
export function rootDisks(mappings: unknown): Disk[] {
  return asList(mappings)
    .filter(({ Ebs }) => Ebs !== undefined)
    .map(({ Ebs }) => toDisk(Ebs, 'VolumeSize'));
}

export function ebsCharges(disk: Disk, count: number): Charge[] {
  const { type, gib, iops = 0, throughput = 0 } = disk;
  const many = count === 1 ? '' : `${count} × `;
  // Without a size, the AMI or the snapshot determines it.
  if (gib === undefined)
    return [{ what: `${many}volume ${type}, size not in the template`, price: undefined, units: 0, kind: 'fixed' }];
  const charges = [fixed(`${many}volume ${type}, ${gib} GiB`, `ebs.${type}.storage`, count * gib)];
  if (type !== 'gp3') return charges;
  const extraIops = Math.max(0, iops - GP3_IOPS);
  const extraThroughput = Math.max(0, throughput - GP3_MBPS);
  if (extraIops > 0) charges.push(fixed(`IOPS above ${GP3_IOPS}`, 'ebs.gp3.iops', count * extraIops));
  if (extraThroughput > 0) {
    charges.push(fixed(`MiB/s above ${GP3_MBPS}`, 'ebs.gp3.throughput', count * extraThroughput));
  }
  return charges;
}

export const volume: Pricer = (properties) => ({ charges: ebsCharges(toDisk(properties, 'Size'), 1) });

function toDisk(properties: Properties, size: 'Size' | 'VolumeSize'): Disk {
  return {
    // CloudFormation's default.
    type: asText(properties.VolumeType, 'gp2'),
    gib: asNumber(properties[size]),
    iops: asNumber(properties.Iops),
    throughput: asNumber(properties.Throughput),
  };
}
