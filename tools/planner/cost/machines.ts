import { HOURS_PER_MONTH, type Price, type PriceTable } from '../prices/table';
import {
  asList,
  asNumber,
  byUsage,
  type Charge,
  fixed,
  isTrue,
  type Pricer,
  type PricingContext,
  type Properties,
} from './charges';
import { ebsCharges, rootDisks } from './disks';

/** Metrics per instance with detailed monitoring, billed like custom metrics. */
const DETAILED_METRICS = 7;

/** A single EC2 instance. */
export const instance: Pricer = (properties, scope, id) => {
  const template = launchTemplate(properties.LaunchTemplate, scope);
  const type = properties.InstanceType ?? template.InstanceType;
  if (typeof type !== 'string') return { unpriced: 'instance type not in the template' };
  const mappings = properties.BlockDeviceMappings ?? template.BlockDeviceMappings;
  const monitoring = isTrue(properties.Monitoring) || isTrue(template.Monitoring?.Enabled);
  return {
    charges: [
      fixed(`${type} On-Demand`, `ec2.${type}`, HOURS_PER_MONTH),
      ...instanceExtras(type, mappings, monitoring, 1),
      ...(publicAddress(properties, scope, id) ? [fixed('public IPv4 address', 'ipv4.hour', HOURS_PER_MONTH)] : []),
      ...egress(scope, id),
    ],
  };
};

/** An Auto Scaling group at its given, desired or minimum size. */
export const autoScalingGroup: Pricer = (properties, scope, id) => {
  const count = scope.instancesOf(id) ?? asNumber(properties.DesiredCapacity) ?? asNumber(properties.MinSize);
  if (count === undefined) return { unpriced: 'size not in the template' };
  const mixed = properties.MixedInstancesPolicy;
  const specification = mixed?.LaunchTemplate?.LaunchTemplateSpecification ?? properties.LaunchTemplate;
  const template = launchTemplate(specification, scope);
  const configuration = scope.template.target(properties.LaunchConfigurationName)?.resource.Properties ?? {};
  const overrides = asList(mixed?.LaunchTemplate?.Overrides);
  const own = template.InstanceType ?? configuration.InstanceType;
  const types: unknown[] = overrides.length > 0 ? overrides.map((one) => one.InstanceType ?? own) : [own];
  const [first] = types;
  if (typeof first !== 'string' || !types.every((type) => typeof type === 'string')) {
    return { unpriced: 'instance types not in the template' };
  }
  // The capacity of a weighted group is the sum of its weights.
  const weight = asNumber(overrides[0]?.WeightedCapacity) ?? 1;
  const instances = Math.ceil(count / weight);
  const { onDemand, spot } = mixed
    ? splitPurchase(instances, mixed.InstancesDistribution ?? {})
    : { onDemand: instances, spot: 0 };
  const monitoring = template.Monitoring
    ? isTrue(template.Monitoring.Enabled)
    : // A launch configuration enables it by default.
      properties.LaunchConfigurationName !== undefined && !isFalse(configuration.InstanceMonitoring);

  const charges: Charge[] = [];
  if (onDemand > 0) {
    charges.push(fixed(`${onDemand} × ${first} On-Demand`, `ec2.${first}`, onDemand * HOURS_PER_MONTH));
  }
  if (spot > 0) {
    const price = spotPrice(types, scope.prices);
    if (typeof price === 'string') return { unpriced: price };
    charges.push(fixed(`${spot} × spot (${types.join(', ')})`, price, spot * HOURS_PER_MONTH));
  }
  const mappings = template.BlockDeviceMappings ?? configuration.BlockDeviceMappings;
  return { charges: [...charges, ...instanceExtras(first, mappings, monitoring, instances)] };
};

/** Splits a mixed group into On-Demand and spot. The On-Demand share above the base is rounded up. */
export function splitPurchase(instances: number, distribution: Properties): { onDemand: number; spot: number } {
  const base = Math.min(instances, asNumber(distribution.OnDemandBaseCapacity) ?? 0);
  const percentage = asNumber(distribution.OnDemandPercentageAboveBaseCapacity) ?? 100;
  const onDemand = base + Math.ceil(((instances - base) * percentage) / 100);
  return { onDemand, spot: instances - onDemand };
}

/**
 * Returns the mean spot price per hour over the types, or the reason why there is none. Spot prices change, and AWS
 * chooses among the types.
 */
export function spotPrice(types: readonly string[], prices: PriceTable): Price | string {
  let usd = 0;
  let asOf = '9999-12-31';
  for (const type of types) {
    const onDemand = prices.find(`ec2.${type}`);
    const machine = prices.machine(type);
    if (onDemand === undefined) return `no price for ec2.${type}`;
    if (machine === undefined || machine.spotSavingPercent === '') return `no spot saving for ${type}`;
    usd += ((onDemand.tiers[0]?.usd ?? 0) * (1 - machine.spotSavingPercent / 100)) / types.length;
    asOf = [asOf, onDemand.asOf, machine.spotAsOf].sort()[0] as string;
  }
  const tiers = [{ upTo: Number.POSITIVE_INFINITY, usd }];
  return { key: `spot(${types.join(', ')})`, unit: 'hour', source: 'spot-advisor', asOf, status: 'derived', tiers };
}

/** Volumes, detailed monitoring and CPU credits of instances. */
function instanceExtras(type: string, mappings: unknown, monitoring: boolean, instances: number): Charge[] {
  return [
    ...rootDisks(mappings).flatMap((disk) => ebsCharges(disk, instances)),
    ...(monitoring
      ? [fixed('detailed monitoring (7 metrics per instance)', 'cloudwatch.metric', DETAILED_METRICS * instances)]
      : []),
    ...(/^t\d/.test(type) ? [byUsage('CPU credits above the baseline', 'ec2.credits', undefined)] : []),
  ];
}

/** Finds the data of a referenced launch template. */
function launchTemplate(specification: Properties | undefined, scope: PricingContext): Properties {
  const found = scope.template.target(specification?.LaunchTemplateId ?? specification?.LaunchTemplateName);
  return found?.resource.Properties?.LaunchTemplateData ?? {};
}

/** Whether the instance has a public address from its subnet. An Elastic IP is billed as its own resource. */
function publicAddress(properties: Properties, scope: PricingContext, id: string): boolean {
  const associate = properties.NetworkInterfaces?.[0]?.AssociatePublicIpAddress;
  if (associate !== undefined) return isTrue(associate);
  const subnet = scope.template.target(properties.SubnetId)?.resource.Properties;
  return isTrue(subnet?.MapPublicIpOnLaunch) && !hasElasticIp(scope, id);
}

function hasElasticIp(scope: PricingContext, id: string): boolean {
  return [...scope.template.resources.values()].some(
    ({ Type, Properties }) =>
      /^AWS::EC2::EIP(Association)?$/.test(Type) && scope.template.target(Properties?.InstanceId)?.id === id,
  );
}

/** Responses to the internet. */
export function egress(scope: PricingContext, id: string): Charge[] {
  return scope.isEntry(id)
    ? [byUsage('data transfer to the internet', 'transfer.internet', scope.usage?.egressGib)]
    : [];
}

function isFalse(value: unknown): boolean {
  return value === false || value === 'false';
}
