import { ELASTIC_INSTANCE_TYPES } from '../../../lib/phases/sizes';
import { spotPrice } from '../cost/machines';
import type { PriceTable } from '../prices/table';
import { MIN_SERVERS } from './fleet';

/** Saving of a mixed phase 4 fleet as a share of its On-Demand price, 0 to 1; undefined without prices. */
export function spotSaving(
  servers: number,
  prices: PriceTable,
  types: readonly string[] = ELASTIC_INSTANCE_TYPES,
): number | undefined {
  const onDemand = prices.find(`ec2.${types[0]}`)?.tiers[0]?.usd;
  const spot = spotPrice(types, prices);
  if (onDemand === undefined || typeof spot === 'string') return undefined;
  const base = Math.min(servers, MIN_SERVERS);
  return 1 - (base * onDemand + (servers - base) * (spot.tiers[0]?.usd ?? 0)) / (servers * onDemand);
}
