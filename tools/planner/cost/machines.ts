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

/** Metrics that detailed monitoring publishes for an instance, at the price of custom ones. */
const DETAILED_METRICS = 7;

/** An instance by itself. */
export const instance: Pricer = (properties, scope, id) => {
  const template = launchTemplate(properties.LaunchTemplate, scope);
  const type = properties.InstanceType ?? template.InstanceType;
  if (typeof type !== 'string') return { unpriced: 'its instance type is not in the template' };
  const mappings = properties.BlockDeviceMappings ?? template.BlockDeviceMappings;
  const monitoring = isTrue(properties.Monitoring) || isTrue(template.Monitoring?.Enabled);
  return {
    charges: [
      fixed(`${type} on demand`, `ec2.${type}`, HOURS_PER_MONTH),
      ...instanceExtras(type, mappings, monitoring, 1),
      ...(publicAddress(properties, scope, id) ? [fixed('public IPv4 address', 'ipv4.hour', HOURS_PER_MONTH)] : []),
      ...egress(scope, id),
    ],
  };
};

/** A group of instances: at its desired, else its smallest size, unless told otherwise. */
export const autoScalingGroup: Pricer = (properties, scope, id) => {
  const count = scope.instancesOf(id) ?? asNumber(properties.DesiredCapacity) ?? asNumber(properties.MinSize);
  if (count === undefined) return { unpriced: 'its size is not in the template' };
  const mixed = properties.MixedInstancesPolicy;
  const specification = mixed?.LaunchTemplate?.LaunchTemplateSpecification ?? properties.LaunchTemplate;
  const template = launchTemplate(specification, scope);
  const configuration = scope.template.target(properties.LaunchConfigurationName)?.resource.Properties ?? {};
  const overrides = asList(mixed?.LaunchTemplate?.Overrides);
  const own = template.InstanceType ?? configuration.InstanceType;
  const types: unknown[] = overrides.length > 0 ? overrides.map((one) => one.InstanceType ?? own) : [own];
  const [first] = types;
  if (typeof first !== 'string' || !types.every((type) => typeof type === 'string')) {
    return { unpriced: 'its instance types are not in the template' };
  }
  // Sizes of a weighted group are counted in weights.
  const weight = asNumber(overrides[0]?.WeightedCapacity) ?? 1;
  const instances = Math.ceil(count / weight);
  const { onDemand, spot } = mixed
    ? splitPurchase(instances, mixed.InstancesDistribution ?? {})
    : { onDemand: instances, spot: 0 };
  const monitoring = template.Monitoring
    ? isTrue(template.Monitoring.Enabled)
    : // A launch configuration has it on unless it is switched off.
      properties.LaunchConfigurationName !== undefined && !isFalse(configuration.InstanceMonitoring);

  const charges: Charge[] = [];
  if (onDemand > 0) {
    charges.push(fixed(`${onDemand} × ${first} on demand`, `ec2.${first}`, onDemand * HOURS_PER_MONTH));
  }
  if (spot > 0) {
    const price = spotPrice(types, scope.prices);
    if (typeof price === 'string') return { unpriced: price };
    charges.push(fixed(`${spot} × spot (${types.join(', ')})`, price, spot * HOURS_PER_MONTH));
  }
  const mappings = template.BlockDeviceMappings ?? configuration.BlockDeviceMappings;
  return { charges: [...charges, ...instanceExtras(first, mappings, monitoring, instances)] };
};

/** How the instances of a mixed group are bought. The share above the base that is on demand rounds up. */
export function splitPurchase(instances: number, distribution: Properties): { onDemand: number; spot: number } {
  const base = Math.min(instances, asNumber(distribution.OnDemandBaseCapacity) ?? 0);
  const percentage = asNumber(distribution.OnDemandPercentageAboveBaseCapacity) ?? 100;
  const onDemand = base + Math.ceil(((instances - base) * percentage) / 100);
  return { onDemand, spot: instances - onDemand };
}

/**
 * What an hour of spot costs on average over these types; the market moves, and AWS chooses among them. A text says why there
 * is none.
 */
export function spotPrice(types: readonly string[], prices: PriceTable): Price | string {
  let usd = 0;
  let asOf = '9999-12-31';
  for (const type of types) {
    const onDemand = prices.find(`ec2.${type}`);
    const machine = prices.machine(type);
    if (onDemand === undefined) return `no price for ec2.${type}`;
    if (machine === undefined || machine.spotSavingPercent === '') return `no spot saving known for ${type}`;
    usd += ((onDemand.tiers[0]?.usd ?? 0) * (1 - machine.spotSavingPercent / 100)) / types.length;
    asOf = [asOf, onDemand.asOf, machine.spotAsOf].sort()[0] as string;
  }
  const tiers = [{ upTo: Number.POSITIVE_INFINITY, usd }];
  return { key: `spot(${types.join(', ')})`, unit: 'hour', source: 'spot-advisor', asOf, status: 'derived', tiers };
}

/** The disks of instances, their monitoring, and credits where they have any. */
function instanceExtras(type: string, mappings: unknown, monitoring: boolean, instances: number): Charge[] {
  return [
    ...rootDisks(mappings).flatMap((disk) => ebsCharges(disk, instances)),
    ...(monitoring
      ? [fixed('detailed monitoring (7 metrics an instance)', 'cloudwatch.metric', DETAILED_METRICS * instances)]
      : []),
    ...(/^t\d/.test(type) ? [byUsage('CPU credits above the baseline', 'ec2.credits', undefined)] : []),
  ];
}

/** What a launch template says, found by the reference of whoever launches by it. */
function launchTemplate(specification: Properties | undefined, scope: PricingContext): Properties {
  const found = scope.template.target(specification?.LaunchTemplateId ?? specification?.LaunchTemplateName);
  return found?.resource.Properties?.LaunchTemplateData ?? {};
}

/** Whether an address is billed with the instance itself: one that comes from its subnet, and not an Elastic IP. */
function publicAddress(properties: Properties, scope: PricingContext, id: string): boolean {
  const asked = properties.NetworkInterfaces?.[0]?.AssociatePublicIpAddress;
  if (asked !== undefined) return isTrue(asked);
  const subnet = scope.template.target(properties.SubnetId)?.resource.Properties;
  return isTrue(subnet?.MapPublicIpOnLaunch) && !hasElasticIp(scope, id);
}

function hasElasticIp(scope: PricingContext, id: string): boolean {
  return [...scope.template.resources.values()].some(
    ({ Type, Properties }) =>
      /^AWS::EC2::EIP(Association)?$/.test(Type) && scope.template.target(Properties?.InstanceId)?.id === id,
  );
}

/** Answers to visitors, where they leave AWS. */
export function egress(scope: PricingContext, id: string): Charge[] {
  return scope.isEntry(id) ? [byUsage('answers to the internet', 'transfer.internet', scope.usage?.egressGib)] : [];
}

function isFalse(value: unknown): boolean {
  return value === false || value === 'false';
}
