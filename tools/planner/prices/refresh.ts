import { PricingClient, type PricingClientConfig, paginateGetProducts } from '@aws-sdk/client-pricing';
import { type Query, queryFor } from './queries';
import type { Price, PriceTable } from './table';

/** Id in `sources.csv` of prices that {@link refresh} read. */
export const PRICE_LIST = 'price-list-api';

export interface Refreshed {
  /** Lines of the new file, without the header. */
  readonly lines: readonly string[];
  /** Number of prices read from the list. */
  readonly read: number;
  /** Prices that the list did not provide. */
  readonly others: readonly NotRead[];
}

export interface NotRead {
  readonly key: string;
  /** `kept` unchanged when refreshing the table's region; `left out`, and so unpriced, for another region. */
  readonly fate: 'kept' | 'left out';
  /** Date of the existing price. */
  readonly asOf: string;
  readonly why: string;
}

/** The Price List API serves all regions from few endpoints. */
const ENDPOINT_REGION = 'us-east-1';

/**
 * Reads the prices of a table from the AWS price list. A price is accepted only if all matching products have the same
 * tiers. Free tiers are dropped, because the table has none.
 *
 * @param table prices to read
 * @param day date of the new prices
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
      const answer = typeof query === 'string' ? query : await readTiers(client, query, region);
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

/** Reads the price tiers in USD per unit of the table, or returns the reason why there are none. */
async function readTiers(client: PricingClient, query: Query, region: string): Promise<Price['tiers'] | string> {
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
  if (only === undefined) return 'not in the price list';
  if (found.size > 1) return `ambiguous: ${found.size} prices in the list`;
  return (JSON.parse(only) as [number | null, number][]).map(([upTo, usd]) => ({
    upTo: upTo ?? Number.POSITIVE_INFINITY,
    usd,
  }));
}

/** Strips the region prefix of a usage type: a short code (`EUC1-`) or, for some services, the region name. */
function withoutRegion(usage: string): string {
  return usage.replace(/^([A-Z]{2,4}\d?|[a-z]{2}(-[a-z]+)+-\d)-/, '');
}

/** Returns tiers in ascending order without free ones. The last has an upper bound of null. */
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
  /** `Inf` for the last tier. */
  readonly endRange?: string;
  readonly pricePerUnit: { readonly USD?: string };
}

/** The used fields of a price list product. */
interface Product {
  readonly product?: { readonly attributes?: { readonly usagetype?: string } };
  readonly terms?: {
    readonly OnDemand?: Readonly<Record<string, { readonly priceDimensions: Readonly<Record<string, Dimension>> }>>;
  };
}

function linesOf({ key, unit, tiers, source, asOf, status }: Price): string[] {
  return tiers.map(({ upTo, usd }) => {
    // Decimal notation: spreadsheets handle 4e-7 poorly.
    const decimal = usd.toFixed(12).replace(/0+$/, '').replace(/\.$/, '');
    return [key, decimal, unit, 1, Number.isFinite(upTo) ? upTo : '', source, asOf, status].join(',');
  });
}
