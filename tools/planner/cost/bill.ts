import type { StackTemplate, TemplateResource } from '../../cloudformation/template';
import { type Price, type PriceAge, type PriceTable, usdFor } from '../prices/table';
import { byUsage, type Charge, type PricingContext } from './charges';
import { type Member, membersOf } from './members';
import { listenerRules, priceResource } from './pricers';
import { assumptions, type ExpectedTraffic, type Usage, usageOf } from './usage';

/** A stack to be billed, with those that are nested in it. */
export interface BilledStack extends StackTemplate {
  readonly id: string;
}

export interface BillOptions {
  readonly prices: PriceTable;
  /** Without it, what is billed by use has a price and no sum. */
  readonly traffic?: ExpectedTraffic;
  /** Values of template parameters. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Servers of Auto Scaling groups, by the beginning of their logical id or a part of their path. */
  readonly instances?: Readonly<Record<string, number>>;
  readonly now?: Date;
}

/**
 * - `priced`: it costs something for being there
 * - `usage`: it costs only what is used of it
 * - `free`: it costs nothing
 * - `unpriced`: it costs something, or may, and the table has no price for all of it
 */
export type BillVerdict = 'priced' | 'usage' | 'free' | 'unpriced';

export interface BillRow {
  readonly stack: string;
  /** Logical id; like the name, with the nested stacks around it in front: `Web/Group`. */
  readonly id: string;
  /** Path of its construct, else its logical id. */
  readonly name: string;
  readonly type: string;
  readonly verdict: BillVerdict;
  readonly charges: readonly BilledCharge[];
  /** Why it is free or unpriced. */
  readonly why?: string;
  /** US dollars a month, as far as they are known. */
  readonly usd: number;
}

export interface BilledCharge {
  readonly what: string;
  readonly kind: Charge['kind'];
  readonly price: string | undefined;
  readonly unit: string | undefined;
  /** A month; undefined where neither template nor traffic tells. */
  readonly units: number | undefined;
  /** US dollars for one unit; for a price with tiers, of the first. */
  readonly usdPerUnit: number | undefined;
  /** US dollars a month; undefined without units or price. */
  readonly usd: number | undefined;
  readonly asOf: string | undefined;
  readonly status: Price['status'] | undefined;
  readonly source: string | undefined;
}

export interface Bill {
  readonly region: string;
  readonly rows: readonly BillRow[];
  readonly counts: Readonly<Record<BillVerdict, number>>;
  /** Share of resources that are priced, by usage or free, in percent. */
  readonly coverage: number;
  /** US dollars a month for what is there, whether it is used or not. */
  readonly fixedUsd: number;
  /** US dollars a month for what is used; undefined without traffic. */
  readonly usageUsd: number | undefined;
  readonly totalUsd: number;
  /** Age of the prices that the sums are made of. */
  readonly age: PriceAge;
  readonly assumptions: readonly string[];
}

/** The bill of stacks that belong together. */
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
          instancesOf: (group) => sizeGiven(options.instances, group, path(group)),
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

/** Where visitors' answers leave AWS: a public balancer, else the first instance. */
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
 * What servers and data tier send each other from zone to zone. Balancers, replicas and standbys do so free of charge.
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
  const charge = billCharge(byUsage('servers and data tier, across zones', 'transfer.zone', gib), prices, used);
  return { stack, id: '', name: '', type: 'traffic', verdict: 'usage', charges: [charge], usd: charge.usd ?? 0 };
}

function sizeGiven(given: BillOptions['instances'], id: string, path: string): number | undefined {
  const found = Object.entries(given ?? {}).find(([name]) => id.startsWith(name) || path.split('/').includes(name));
  return found?.[1];
}
