import type { PriceTable } from '../prices/table';
import { usdFor } from '../prices/table';
import type { Summary } from './simulate';

/** Prices of one server in USD per hour; undefined when unknown. */
export interface HourPrices {
  readonly onDemand: number | undefined;
  readonly spot: number | undefined;
  /** Sources of the prices, as text. */
  readonly source: string;
}

/** Prices of a group's preferred instance type. Given prices override the table. */
export function hourPrices(
  type: string | undefined,
  table: PriceTable,
  given: { readonly onDemand?: number; readonly spot?: number },
): HourPrices {
  const found = type === undefined ? undefined : table.find(`ec2.${type}`);
  const onDemand = given.onDemand ?? (found && usdFor(found, 1));
  const saving = type === undefined ? undefined : table.machine(type)?.spotSavingPercent;
  const fromSaving = onDemand !== undefined && typeof saving === 'number' ? onDemand * (1 - saving / 100) : undefined;
  const spot = given.spot ?? fromSaving;
  const sources = [
    given.onDemand !== undefined
      ? 'On-Demand as given'
      : found
        ? `${type} On-Demand in ${table.region} as of ${found.asOf}`
        : `no On-Demand price for ${type ?? 'the instance type'}`,
    given.spot !== undefined
      ? 'spot as given'
      : fromSaving !== undefined
        ? `spot ${saving}% below, the mean of the Spot Instance advisor`
        : 'no spot price',
  ];
  return { onDemand, spot, source: sources.join('; ') };
}

/** Cost of the servers in USD; undefined when a required price is missing. */
export function serverCost({ onDemandHours, spotHours }: Summary, prices: HourPrices): number | undefined {
  const onDemand = onDemandHours === 0 ? 0 : prices.onDemand && onDemandHours * prices.onDemand;
  const spot = spotHours === 0 ? 0 : prices.spot && spotHours * prices.spot;
  return onDemand === undefined || spot === undefined ? undefined : onDemand + spot;
}

/**
 * Monthly interruption share of an instance type: the upper end of its Spot Instance advisor class. The last class has
 * no upper end and counts as 25%.
 */
export function spotInterruptionShare(type: string | undefined, table: PriceTable): number | undefined {
  const found = type === undefined ? undefined : table.machine(type)?.interruptionClass;
  return typeof found === 'number' ? 0.05 * (found + 1) : undefined;
}
