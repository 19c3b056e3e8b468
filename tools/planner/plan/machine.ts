import { DATA_TIER_BYTES_PER_REQUEST, REQUEST_BYTES } from '../cost/usage';
import type { PriceTable } from '../prices/table';
import type { FleetLaw } from './fleet';
import type { PlanInput } from './workload';

/** GiB that the system and its agents take; an assumption. */
const SYSTEM_GIB = 0.5;

/** Share of the memory that is in use when the alarm goes off. */
const MEMORY_SHARE = 0.9;

/** What of the box's memory PostgreSQL takes: a quarter for its buffers, and a quarter when all its connections sort at once. */
const DATABASE_SHARE = 0.5;

/** What the processes of a server take of its memory. */
export interface MemoryNeed {
  readonly processes: number;
  readonly processMib: number;
  readonly neededGib: number;
  /** What there is, the database's part left out; undefined for a type that is not in the table. */
  readonly memoryGib: number | undefined;
  readonly fits: boolean;
}

/** @param withDatabase whether PostgreSQL runs beside the app */
export function memoryNeed(
  types: readonly string[],
  vcpus: number,
  { demand: { processMib } }: PlanInput,
  prices: PriceTable,
  withDatabase: boolean,
): MemoryNeed {
  const least = leastOf(types, (type) => prices.machine(type)?.memoryGib);
  const memoryGib = least && least * (withDatabase ? 1 - DATABASE_SHARE : 1);
  // One process a vCPU.
  const neededGib = (vcpus * processMib) / 1024 + SYSTEM_GIB;
  const fits = memoryGib === undefined || neededGib <= memoryGib * MEMORY_SHARE;
  return { processes: vcpus, processMib, neededGib, memoryGib, fits };
}

/** What goes through the network of a server. */
export interface NetworkLimit {
  /** Of a mean request, in the direction that has more: both have the same width. */
  readonly bytesPerRequest: number;
  /** Mbit/s that a server has all the time; undefined when nobody says. */
  readonly mbps: number | undefined;
  /** Requests/s of a server at all of that; without end when nobody says. Servers do not share it. */
  readonly law: FleetLaw;
}

/** @param apart whether the data is on other machines */
export function networkLimit(
  types: readonly string[],
  { traffic }: PlanInput,
  prices: PriceTable,
  apart: boolean,
): NetworkLimit {
  const bytesPerRequest = Math.max(traffic.responseBytes, REQUEST_BYTES + (apart ? DATA_TIER_BYTES_PER_REQUEST : 0));
  const mbps = leastOf(types, (type) => prices.machine(type)?.networkMbps || undefined);
  const lambda = mbps === undefined ? Number.POSITIVE_INFINITY : (mbps * 1e6) / 8 / bytesPerRequest;
  return { bytesPerRequest, mbps, law: { lambda, sigma: 0, kappa: 0 } };
}

/** A fleet of several types is as good as the least of them; undefined when one is not known. */
function leastOf(types: readonly string[], figure: (type: string) => number | undefined): number | undefined {
  const figures = types.map(figure);
  return figures.every((one) => one !== undefined) ? Math.min(...(figures as number[])) : undefined;
}
