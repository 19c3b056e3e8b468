import type { StackTemplate, TemplateResource } from '../../cloudformation/template';
import { type Price, type PriceAge, type PriceTable, usdFor } from '../prices/table';
import { byUsage, type Charge, type PricingContext } from './charges';
import { type Member, membersOf } from './members';
import { listenerRules, priceResource } from './pricers';
import { assumptions, type ExpectedTraffic, type Usage, usageOf } from './usage';

/** A stack to bill, including its nested stacks. */
export interface BilledStack extends StackTemplate {
  readonly id: string;
}

export interface BillOptions {
  readonly prices: PriceTable;
  /** @default - usage charges have a unit price and no amount */
  readonly traffic?: ExpectedTraffic;
  /** Template parameter values. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Sizes of Auto Scaling groups, by prefix of the logical id or by a component of the construct path. */
  readonly instances?: Readonly<Record<string, number>>;
  readonly now?: Date;
}

/**
 * - `priced`: has a fixed charge
 * - `usage`: has usage charges only
 * - `free`: has no charge
 * - `unpriced`: has, or may have, a charge without a price in the table
 */
export type BillVerdict = 'priced' | 'usage' | 'free' | 'unpriced';

export interface BillRow {
  readonly stack: string;
  /** Logical id, prefixed by the nested stacks that contain it: `Web/Group`. */
  readonly id: string;
  /** Construct path, or logical id without one; prefixed like `id`. */
  readonly name: string;
  readonly type: string;
  readonly verdict: BillVerdict;
  readonly charges: readonly BilledCharge[];
  /** Reason why it is free or unpriced. */
  readonly why?: string;
  /** USD per month, known charges only. */
  readonly usd: number;
}

export interface BilledCharge {
  readonly what: string;
  readonly kind: Charge['kind'];
  readonly price: string | undefined;
  readonly unit: string | undefined;
  /** Units per month; undefined when neither template nor traffic determines them. */
  readonly units: number | undefined;
  /** USD per unit; for a tiered price, of the first tier. */
  readonly usdPerUnit: number | undefined;
  /** USD per month; undefined without units or price. */
  readonly usd: number | undefined;
  readonly asOf: string | undefined;
  readonly status: Price['status'] | undefined;
  readonly source: string | undefined;
}

export interface Bill {
  readonly region: string;
  readonly rows: readonly BillRow[];
  readonly counts: Readonly<Record<BillVerdict, number>>;
  /** Percentage of resources that are not unpriced. */
  readonly coverage: number;
  /** Fixed charges, USD per month. */
  readonly fixedUsd: number;
  /** Usage charges, USD per month; undefined without traffic. */
  readonly usageUsd: number | undefined;
  readonly totalUsd: number;
  /** Age of the prices used. */
  readonly age: PriceAge;
  readonly assumptions: readonly string[];
}

/** Calculates the monthly bill of stacks that are deployed together. */
export function billOf(stacks: readonly BilledStack[], options: BillOptions): Bill {
  const { prices, traffic } = options;
  const families = stacks.map((stack) => ({
    id: stack.id,
    members: membersOf(stack, { region: prices.region, parameters: options.parameters }),
  }));
  const all = families.flatMap(({ members }) => members.flatMap(({ template }) => [...template.resources.values()]));
  const hasEdge = all.some(({ Type }) => Type === 'AWS::CloudFront::Distribution');
  const usage = traffic && usageOf(traffic, hasEdge, listenerRules(all));
  const used: Price[] = [];

  const rows = families.flatMap(({ id: stack, members }) => {
    const entry = hasEdge ? undefined : entryOf(members);
    return members.flatMap(({ prefix, template, paths, unread }) =>
      [...template.resources].map(([id, resource]) => {
        const path = (one: string) => `${prefix}${paths?.get(one) ?? ''}`;
        const name = paths?.get(id) ?? String(resource.Metadata?.['aws:cdk:path'] ?? id);
        const scope: PricingContext = {
          template,
          prices,
          usage,
          instancesOf: (group) => instancesGiven(options.instances, group, path(group)),
          isEntry: (one) => template === entry?.template && one === entry.id,
          unread: (one) => unread.get(one),
        };
        const row = billRow(resource, id, scope, used);
        return { stack, id: `${prefix}${id}`, name: `${prefix}${name}`, type: resource.Type, ...row };
      }),
    );
  });
  const between = families.map(({ id, members }) => zoneTraffic(id, members, usage, prices, used));
  const billed = [...rows, ...between.filter((row) => row !== undefined)];

  const counts = { priced: 0, usage: 0, free: 0, unpriced: 0 };
  for (const { verdict } of rows) counts[verdict] += 1;
  const sum = (kind: Charge['kind']) =>
    billed.flatMap(({ charges }) => charges).reduce((usd, one) => usd + (one.kind === kind ? (one.usd ?? 0) : 0), 0);
  const [fixedUsd, usageUsd] = [sum('fixed'), sum('usage')];
  return {
    region: prices.region,
    rows: billed,
    counts,
    coverage: rows.length === 0 ? 100 : (100 * (rows.length - counts.unpriced)) / rows.length,
    fixedUsd,
    usageUsd: usage && usageUsd,
    totalUsd: fixedUsd + usageUsd,
    age: prices.age(options.now ?? new Date(), [...new Set(used)]),
    assumptions: traffic ? assumptions(traffic) : [],
  };
}

function billRow(resource: TemplateResource, id: string, scope: PricingContext, used: Price[]) {
  const verdict = priceResource(resource, id, scope);
  if ('free' in verdict) return { verdict: 'free' as const, charges: [], why: verdict.free, usd: 0 };
  if ('unpriced' in verdict) return { verdict: 'unpriced' as const, charges: [], why: verdict.unpriced, usd: 0 };
  const charges = verdict.charges.map((charge) => billCharge(charge, scope.prices, used));
  const usd = charges.reduce((sum, charge) => sum + (charge.usd ?? 0), 0);
  const missing = charges.find(({ usdPerUnit }) => usdPerUnit === undefined);
  if (missing) {
    const why = missing.price ? `no price for ${missing.price}` : missing.what;
    return { verdict: 'unpriced' as const, charges, why, usd };
  }
  const kind = charges.some((charge) => charge.kind === 'fixed') ? ('priced' as const) : ('usage' as const);
  return { verdict: kind, charges, usd };
}

function billCharge(charge: Charge, prices: PriceTable, used: Price[]): BilledCharge {
  const { what, kind, units } = charge;
  const price = typeof charge.price === 'string' ? prices.find(charge.price) : charge.price;
  if (price) used.push(price);
  return {
    what,
    kind,
    price: typeof charge.price === 'string' ? charge.price : charge.price?.key,
    unit: price?.unit,
    units,
    usdPerUnit: price?.tiers[0]?.usd,
    usd: price && units !== undefined ? usdFor(price, units) : undefined,
    asOf: price?.asOf,
    status: price?.status,
    source: price && prices.source(price.source),
  };
}

/** Finds the resource that sends responses to the internet: a public load balancer, or the first instance. */
function entryOf(
  members: readonly Member[],
): { readonly template: Member['template']; readonly id: string } | undefined {
  const all = members.flatMap(({ template }) =>
    [...template.resources].map(([id, { Type, Properties }]) => ({ template, id, Type, Properties })),
  );
  const balancer = all.find(
    ({ Type, Properties }) => Type === 'AWS::ElasticLoadBalancingV2::LoadBalancer' && Properties?.Scheme !== 'internal',
  );
  return balancer ?? all.find(({ Type }) => Type === 'AWS::EC2::Instance');
}

/**
 * Data transfer between servers and data tier across Availability Zones. Load balancers, replicas and standbys transfer
 * free of charge.
 *
 * @see https://aws.amazon.com/ec2/pricing/on-demand/#Data_Transfer_within_the_same_AWS_Region
 */
function zoneTraffic(
  stack: string,
  members: readonly Member[],
  usage: Usage | undefined,
  prices: PriceTable,
  used: Price[],
): BillRow | undefined {
  const all = members.flatMap(({ template }) => [...template.resources.values()]);
  const zones = Math.max(
    1,
    ...all
      .filter(({ Type }) => Type === 'AWS::AutoScaling::AutoScalingGroup')
      .map(({ Properties }) => Properties?.VPCZoneIdentifier?.length ?? Properties?.AvailabilityZones?.length ?? 1),
  );
  const hasData = all.some(({ Type }) =>
    /^AWS::(RDS::DB(Instance|Cluster)|ElastiCache::(ReplicationGroup|CacheCluster))$/.test(Type),
  );
  if (zones === 1 || !hasData) return undefined;
  const gib = usage && (usage.dataTierGib * (zones - 1)) / zones;
  const charge = billCharge(byUsage('servers to data tier, across zones', 'transfer.zone', gib), prices, used);
  return { stack, id: '', name: '', type: 'traffic', verdict: 'usage', charges: [charge], usd: charge.usd ?? 0 };
}

function instancesGiven(given: BillOptions['instances'], id: string, path: string): number | undefined {
  const found = Object.entries(given ?? {}).find(([name]) => id.startsWith(name) || path.split('/').includes(name));
  return found?.[1];
}
