import { PricingClient, type PricingClientConfig, paginateGetProducts } from '@aws-sdk/client-pricing';
import { type Query, queryFor } from './queries';
import type { Price, PriceTable } from './table';

/** The source of figures that {@link refresh} read, in `sources.csv`. */
export const PRICE_LIST = 'price-list-api';

export interface Refreshed {
  /** Lines of the new file, without its head. */
  readonly lines: readonly string[];
  /** Figures that the list gave, those that it did not give exactly, and those that are not asked of it. */
  readonly counts: { readonly read: number; readonly unanswered: number; readonly notAsked: number };
}

/** One region of AWS answers for all of them. */
const ENDPOINT_REGION = 'us-east-1';

/**
 * Reads what the table has from the AWS price list. A figure that the list does not give exactly once is kept as it was for the
 * table's own region; for another region it is left out, and so unpriced.
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
  const counts = { read: 0, unanswered: 0, notAsked: 0 };
  const lines: string[] = [];
  try {
    for (const price of table.prices()) {
      const query = queryFor(price.key);
      const usd = query && (await ask(client, query, region));
      if (usd !== undefined) {
        counts.read += 1;
        lines.push(line(price, usd, 1, '', PRICE_LIST, day, 'read'));
        continue;
      }
      counts[query ? 'unanswered' : 'notAsked'] += 1;
      if (query) say(`${price.key}: the price list does not give it exactly once`);
      if (region === table.region) lines.push(...keep(price));
    }
  } finally {
    client.destroy();
  }
  return { lines, counts };
}

/** US dollars for one unit of the table; undefined unless the list has exactly one such product with one such price. */
async function ask(client: PricingClient, query: Query, region: string): Promise<number | undefined> {
  const wanted = { ...query.attributes, regionCode: region };
  const found: number[] = [];
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
      const usage = product?.attributes?.usagetype ?? '';
      // In most regions it begins with a short name of the region, such as EUC1-.
      if (query.usage !== undefined && usage.replace(/^[A-Z]{2,4}\d?-(?!AZ)/, '') !== query.usage) continue;
      const prices = Object.values(terms?.OnDemand ?? {}).flatMap((term) => Object.values(term.priceDimensions));
      found.push(...prices.map(({ pricePerUnit }) => Number(pricePerUnit.USD)).filter((usd) => usd > 0));
    }
  }
  const [usd] = found;
  return found.length === 1 && usd !== undefined ? usd / (query.factor ?? 1) : undefined;
}

/** The part of a product of the price list that is read here. */
interface Product {
  readonly product?: { readonly attributes?: { readonly usagetype?: string } };
  readonly terms?: {
    readonly OnDemand?: Readonly<
      Record<
        string,
        { readonly priceDimensions: Readonly<Record<string, { readonly pricePerUnit: { readonly USD?: string } }>> }
      >
    >;
  };
}

function keep(price: Price): string[] {
  const { source, asOf, status } = price;
  return price.tiers.map(({ upTo, usd }) =>
    line(price, usd, 1, Number.isFinite(upTo) ? String(upTo) : '', source, asOf, status),
  );
}

function line(
  { key, unit }: Price,
  usd: number,
  per: number,
  upTo: string,
  source: string,
  asOf: string,
  status: string,
): string {
  // Never as 4e-7, which spreadsheets show badly.
  const decimal = usd.toFixed(12).replace(/0+$/, '').replace(/\.$/, '');
  return [key, decimal, unit, per, upTo, source, asOf, status].join(',');
}
