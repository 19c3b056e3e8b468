import { DATA_TIER_BYTES_PER_REQUEST, REQUEST_BYTES } from '../cost/usage';
import type { PriceTable } from '../prices/table';
import type { FleetLaw } from './fleet';
import type { PlanInput } from './workload';

/** GiB of the operating system and its agents. Assumption. */
const SYSTEM_GIB = 0.5;

/** Memory utilization at which the alarm fires. */
const MEMORY_SHARE = 0.9;

/** PostgreSQL's share of the memory in phase 1: a quarter for shared buffers, a quarter for sorts on all connections. */
const DATABASE_SHARE = 0.5;

/** Memory of a server: needed and available. */
export interface MemoryNeed {
  readonly processes: number;
  readonly processMib: number;
  readonly neededGib: number;
  /** Available without PostgreSQL's share; undefined for a type that machines.csv does not have. */
  readonly memoryGib: number | undefined;
  readonly fits: boolean;
}

/** @param withDatabase whether PostgreSQL runs on the same machine */
export function memoryNeed(
  types: readonly string[],
  vcpus: number,
  { demand: { processMib } }: PlanInput,
  prices: PriceTable,
  withDatabase: boolean,
): MemoryNeed {
  const minimum = minimumOf(types, (type) => prices.machine(type)?.memoryGib);
  const memoryGib = minimum && minimum * (withDatabase ? 1 - DATABASE_SHARE : 1);
  // One process per vCPU.
  const neededGib = (vcpus * processMib) / 1024 + SYSTEM_GIB;
  const fits = memoryGib === undefined || neededGib <= memoryGib * MEMORY_SHARE;
  return { processes: vcpus, processMib, neededGib, memoryGib, fits };
}

/** Network of a server: bytes per request and capacity. */
export interface NetworkLimit {
  /** Of a mean request, in the busier direction. EC2 bandwidth applies to each direction. */
  readonly bytesPerRequest: number;
  /** Baseline bandwidth in Mbit/s; undefined when unknown. */
  readonly mbps: number | undefined;
  /** Requests/s at the baseline bandwidth; infinite when unknown. Scales linearly with servers. */
  readonly law: FleetLaw;
}

/** @param separate whether the data tier runs on other machines */
export function networkLimit(
  types: readonly string[],
  { traffic }: PlanInput,
  prices: PriceTable,
  separate: boolean,
): NetworkLimit {
  const bytesPerRequest = Math.max(traffic.responseBytes, REQUEST_BYTES + (separate ? DATA_TIER_BYTES_PER_REQUEST : 0));
  const mbps = minimumOf(types, (type) => prices.machine(type)?.networkMbps || undefined);
  const lambda = mbps === undefined ? Number.POSITIVE_INFINITY : (mbps * 1e6) / 8 / bytesPerRequest;
  return { bytesPerRequest, mbps, law: { lambda, sigma: 0, kappa: 0 } };
}

/** Minimum over all types of a fleet; undefined when one is unknown. */
function minimumOf(types: readonly string[], figure: (type: string) => number | undefined): number | undefined {
  const figures = types.map(figure);
  return figures.every((one) => one !== undefined) ? Math.min(...(figures as number[])) : undefined;
}
