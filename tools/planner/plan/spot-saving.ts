import { ELASTIC_INSTANCE_TYPES } from '../../../lib/phases/sizes';
import { spotPrice } from '../cost/machines';
import type { PriceTable } from '../prices/table';
import { LEAST_SERVERS } from './fleet';

/** Share of the price on demand that a mixed fleet of phase 4 saves on average over the month; undefined without prices. */
export function spotSaving(
  servers: number,
  prices: PriceTable,
  types: readonly string[] = ELASTIC_INSTANCE_TYPES,
): number | undefined {
  const onDemand = prices.find(`ec2.${types[0]}`)?.tiers[0]?.usd;
  const spot = spotPrice(types, prices);
  if (onDemand === undefined || typeof spot === 'string') return undefined;
  const base = Math.min(servers, LEAST_SERVERS);
  return 1 - (base * onDemand + (servers - base) * (spot.tiers[0]?.usd ?? 0)) / (servers * onDemand);
}
