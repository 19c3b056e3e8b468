import type { PriceTable } from '../prices/table';
import { usdFor } from '../prices/table';
import type { Summary } from './simulate';

/** Of an hour of one server, in US dollars; undefined where nobody knows. */
export interface HourPrices {
  readonly onDemand: number | undefined;
  readonly spot: number | undefined;
  /** Where they are from, in one sentence. */
  readonly source: string;
}

/** Prices of a group's preferred instance type. What is given counts before what the table says. */
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
      ? 'on demand as given'
      : found
        ? `${type} on demand in ${table.region} as of ${found.asOf}`
        : `no price of ${type ?? 'the instance type'} on demand`,
    given.spot !== undefined
      ? 'spot as given'
      : fromSaving !== undefined
        ? `spot ${saving}% below, the average of the spot advisor`
        : 'no price of spot',
  ];
  return { onDemand, spot, source: sources.join('; ') };
}

/** Of the servers alone, in US dollars; undefined when a price that it needs is missing. */
export function serverCost({ onDemandHours, spotHours }: Summary, prices: HourPrices): number | undefined {
  const onDemand = onDemandHours === 0 ? 0 : prices.onDemand && onDemandHours * prices.onDemand;
  const spot = spotHours === 0 ? 0 : prices.spot && spotHours * prices.spot;
  return onDemand === undefined || spot === undefined ? undefined : onDemand + spot;
}

/**
 * Upper end of the spot advisor's class, as a share of the spot servers that is taken back a month; its last class has no end,
 * and counts as 25%.
 */
export function spotInterruptionShare(type: string | undefined, table: PriceTable): number | undefined {
  const found = type === undefined ? undefined : table.machine(type)?.interruptionClass;
  return typeof found === 'number' ? 0.05 * (found + 1) : undefined;
}
