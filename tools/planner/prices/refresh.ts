import { PricingClient, type PricingClientConfig, paginateGetProducts } from '@aws-sdk/client-pricing';
import { type Query, queryFor } from './queries';
import type { Price, PriceTable } from './table';

/** The source of figures that {@link refresh} read, in `sources.csv`. */
export const PRICE_LIST = 'price-list-api';

export interface Refreshed {
  /** Lines of the new file, without its head. */
  readonly lines: readonly string[];
  /** How many figures the list gave. */
  readonly read: number;
  /** Figures that it did not give. */
  readonly others: readonly NotRead[];
}

export interface NotRead {
  readonly key: string;
  /** `kept` as it was for the table's own region; `left out`, and so unpriced, for another one. */
  readonly fate: 'kept' | 'left out';
  /** Day of the figure that is kept. */
  readonly asOf: string;
  readonly why: string;
}

/** One region of AWS answers for all of them. */
const ENDPOINT_REGION = 'us-east-1';

/**
 * Reads what the table has from the AWS price list. A figure is taken when all the products that answer have one price, tiers
 * included; tiers for nothing are left out, as the table has no free ones.
 *
 * @param table what is asked for
 * @param day of the answers
 */
export async function refresh(
  table: PriceTable,
  region: string,
  day: string,
  config: PricingClientConfig,
  say: (line: string) => void,
): Promise<Refreshed> {
  const client = new PricingClient({ region: ENDPOINT_REGION, ...config });
  const lines: string[] = [];
  const others: NotRead[] = [];
  const fate = region === table.region ? 'kept' : 'left out';
  let read = 0;
  try {
    for (const price of table.prices()) {
      const query = queryFor(price.key);
      const answer = typeof query === 'string' ? query : await ask(client, query, region);
      if (typeof answer !== 'string') {
        read += 1;
        lines.push(...linesOf({ ...price, tiers: answer, source: PRICE_LIST, asOf: day, status: 'read' }));
        continue;
      }
      others.push({ key: price.key, fate, asOf: price.asOf, why: answer });
      say(`${price.key}: ${fate}, ${answer}`);
      if (fate === 'kept') lines.push(...linesOf(price));
    }
  } finally {
    client.destroy();
  }
  return { lines, read, others };
}

/** US dollars for one unit of the table, by tiers; a text says why there are none. */
async function ask(client: PricingClient, query: Query, region: string): Promise<Price['tiers'] | string> {
  const { attributes, region: named = 'regionCode', usage } = query;
  const wanted = named === 'none' ? attributes : { ...attributes, [named]: region };
  const usages = usage === undefined ? undefined : [usage].flat();
  const found = new Set<string>();
  const pages = paginateGetProducts(
    { client },
    {
      ServiceCode: query.service,
      Filters: Object.entries(wanted).map(([Field, Value]) => ({ Type: 'TERM_MATCH' as const, Field, Value })),
    },
  );
  for await (const { PriceList = [] } of pages) {
    for (const text of PriceList) {
      const { product, terms } = JSON.parse(String(text)) as Product;
      const { usagetype = '' } = product?.attributes ?? {};
      if (usages && !usages.some((one) => one === usagetype || one === withoutRegion(usagetype))) continue;
      for (const { priceDimensions } of Object.values(terms?.OnDemand ?? {})) {
        const tiers = tiersOf(Object.values(priceDimensions), query.factor ?? 1);
        if (tiers.length > 0) found.add(JSON.stringify(tiers));
      }
    }
  }
  const [only] = found;
  if (only === undefined) return 'the list does not give it';
  if (found.size > 1) return `the list has ${found.size} prices for it`;
  return (JSON.parse(only) as [number | null, number][]).map(([upTo, usd]) => ({
    upTo: upTo ?? Number.POSITIVE_INFINITY,
    usd,
  }));
}

/** In most regions a usage type begins with a short name of the region (`EUC1-`), in some services with its name. */
function withoutRegion(usage: string): string {
  return usage.replace(/^([A-Z]{2,4}\d?|[a-z]{2}(-[a-z]+)+-\d)-/, '');
}

/** In rising order, without those that cost nothing; the end of the last is null. */
function tiersOf(dimensions: readonly Dimension[], factor: number): [number | null, number][] {
  return dimensions
    .map(({ beginRange, endRange, pricePerUnit }) => ({
      from: Number(beginRange ?? 0),
      upTo: Number(endRange ?? Number.NaN),
      usd: Number(pricePerUnit.USD) / factor,
    }))
    .filter(({ usd }) => usd > 0)
    .sort((one, other) => one.from - other.from)
    .map(({ upTo, usd }) => [Number.isFinite(upTo) ? upTo : null, usd]);
}

interface Dimension {
  readonly beginRange?: string;
  /** `Inf` where there is none. */
  readonly endRange?: string;
  readonly pricePerUnit: { readonly USD?: string };
}

/** The part of a product of the price list that is read here. */
interface Product {
  readonly product?: { readonly attributes?: { readonly usagetype?: string } };
  readonly terms?: {
    readonly OnDemand?: Readonly<Record<string, { readonly priceDimensions: Readonly<Record<string, Dimension>> }>>;
  };
}

function linesOf({ key, unit, tiers, source, asOf, status }: Price): string[] {
  return tiers.map(({ upTo, usd }) => {
    // Never as 4e-7, which spreadsheets show badly.
    const decimal = usd.toFixed(12).replace(/0+$/, '').replace(/\.$/, '');
    return [key, decimal, unit, 1, Number.isFinite(upTo) ? upTo : '', source, asOf, status].join(',');
  });
}
