import { DEFAULT_DATABASE_CLASS, ELASTIC_INSTANCE_TYPES, ELASTIC_VCPUS } from '../../../lib/phases/sizes';
import { type ExpectedTraffic, usageOf } from '../cost/usage';
import { databaseFor } from '../plan/database';
import { fleetLaw, serversFor } from '../plan/fleet';
import { cacheThreads, databaseVcpus, loadOf, type PlanInput, serverVcpus } from '../plan/workload';
import { HOURS_PER_MONTH, type Price, type PriceTable, usdFor } from '../prices/table';
import { throughput, type Usl } from '../usl';

/** Scalability law of the vCPUs in one machine, which share locks, memory and the log of one database. */
export type MachineLaw = Pick<Usl, 'sigma' | 'kappa'>;

/** Linear scaling, an upper bound for any machine. */
export const NO_CONTENTION: MachineLaw = { sigma: 0, kappa: 0 };

/** Assumption, of the order seen with databases on large machines: 1% serial work and a small coherency cost. */
export const ASSUMED_CONTENTION: MachineLaw = { sigma: 0.01, kappa: 0.00001 };

/** Requests/s of the table and of the labels in the chart. */
export const MARKED_RATES = [1000, 10_000, 100_000, 500_000, 1_000_000] as const;

export interface CurvePoint {
  readonly rps: number;
  /** USD per month for machines; undefined when no machine is large enough. */
  readonly usd: number | undefined;
  /** Description of the machines. */
  readonly what: string;
}

export interface Curves {
  /** One instance with app and database, without contention. */
  readonly vertical: readonly CurvePoint[];
  /** One instance with app and database, with contention. */
  readonly contended: readonly CurvePoint[];
  /** Equal servers, load balancer, Multi-AZ database with replicas, cache. Survives the loss of a zone. */
  readonly horizontal: readonly CurvePoint[];
  /** Edge charges for requests and data transfer. */
  readonly traffic: readonly CurvePoint[];
  readonly ends: { readonly vertical: VerticalEnd; readonly contended: VerticalEnd };
}

export interface VerticalEnd {
  /** Maximum requests/s of any instance. */
  readonly rps: number;
  readonly type: string;
  readonly vcpus: number;
  readonly usd: number;
}

/** @param input its `rps` is ignored */
export function curvesFor(input: PlanInput, prices: PriceTable, rates: readonly number[] = MARKED_RATES): Curves {
  const at = (make: (rps: number) => Omit<CurvePoint, 'rps'>) => rates.map((rps) => ({ rps, ...make(rps) }));
  return {
    vertical: at((rps) => boxFor(input, rps, NO_CONTENTION, prices)),
    contended: at((rps) => boxFor(input, rps, ASSUMED_CONTENTION, prices)),
    horizontal: at((rps) => farmFor(input, rps, prices)),
    traffic: at((rps) => ({
      usd: trafficUsd({ ...input.traffic, rps }, prices),
      what: 'CloudFront requests and data transfer',
    })),
    ends: { vertical: endOf(input, NO_CONTENTION, prices), contended: endOf(input, ASSUMED_CONTENTION, prices) },
  };
}

interface Box {
  readonly type: string;
  readonly vcpus: number;
  /** USD per month. */
  readonly usd: number;
}

function boxes(prices: PriceTable): Box[] {
  return prices.prices().flatMap(({ key }) => {
    const type = key.replace(/^ec2\./, '');
    const machine = key.startsWith('ec2.') ? prices.machine(type) : undefined;
    return machine ? [{ type, vcpus: machine.vcpus, usd: monthOf(prices, key) }] : [];
  });
}

/** Requests/s of an instance with app and database. */
function boxCapacity(input: PlanInput, { vcpus }: Box, law: MachineLaw): number {
  const load = loadOf(input, 1, false);
  const database = databaseVcpus(input, load);
  const lambda = 1 / (serverVcpus(input, load) + database.reads + database.writes);
  return throughput({ lambda, ...law }, vcpus) * input.utilization;
}

function boxFor(input: PlanInput, rps: number, law: MachineLaw, prices: PriceTable): Omit<CurvePoint, 'rps'> {
  const [cheapest] = boxes(prices)
    .filter((box) => boxCapacity(input, box, law) >= rps)
    .sort((one, other) => one.usd - other.usd);
  return cheapest
    ? { usd: cheapest.usd, what: `1 x ${cheapest.type}, ${cheapest.vcpus} vCPUs` }
    : { usd: undefined, what: 'no instance is large enough' };
}

function endOf(input: PlanInput, law: MachineLaw, prices: PriceTable): VerticalEnd {
  const held = boxes(prices).map((box) => ({ ...box, rps: boxCapacity(input, box, law) }));
  const [best] = held.sort((one, other) => other.rps - one.rps || one.usd - other.usd);
  const { type, vcpus, usd, rps } = best as (typeof held)[number];
  return { type, vcpus, usd, rps };
}

const SERVER = { type: ELASTIC_INSTANCE_TYPES[0], vcpus: ELASTIC_VCPUS } as const;
const CACHE_NODE = 'cache.t4g.small';
/** Primary and two replicas of each cache shard. */
const CACHE_NODES = 3;
const MIN_DATABASE = { class: DEFAULT_DATABASE_CLASS, storageGib: 100 } as const;

function farmFor(input: PlanInput, rps: number, prices: PriceTable): Omit<CurvePoint, 'rps'> {
  const load = loadOf(input, rps, false);
  const law = fleetLaw(input, SERVER.vcpus, serverVcpus(input, load) / load.origin);
  const servers = serversFor([law], load.origin, input.utilization, 100_000);
  const { writes, reads } = databaseVcpus(input, load);
  const shardAt = (shards: number) =>
    databaseFor(
      {
        writes: writes / shards,
        reads: reads / shards,
        statements: (load.misses + load.sessions + load.writes) / shards,
        replicated: true,
        proxied: true,
        processes: 0,
        utilization: input.utilization,
        peakToAverage: input.traffic.peakToAverage,
      },
      prices,
      MIN_DATABASE,
    );
  // Shards divide the load that exceeds one writer.
  const shards = Array.from({ length: 64 }, (_, index) => index + 1).find((count) => !('why' in shardAt(count)));
  if (servers === undefined || shards === undefined)
    return { usd: undefined, what: 'beyond the peak of the scalability law' };
  const database = shardAt(shards);
  if ('why' in database) return { usd: undefined, what: database.why };
  const cacheShards = Math.max(1, Math.ceil(cacheThreads(load) / input.utilization));
  const units = usageOf({ ...input.traffic, rps }, false, 0).albUnits;
  const databases =
    monthOf(prices, `rds.postgres.${database.class}.multi`) +
    database.replicas * monthOf(prices, `rds.postgres.${database.class}.single`) +
    monthOf(prices, 'rds.proxy') * database.vcpus;
  const usd =
    servers * monthOf(prices, `ec2.${SERVER.type}`) +
    monthOf(prices, 'alb.hour') +
    usdFor(priceOf(prices, 'alb.lcu'), units * HOURS_PER_MONTH) +
    shards * databases +
    cacheShards * CACHE_NODES * monthOf(prices, `elasticache.valkey.${CACHE_NODE}`);
  const shardsOf = shards > 1 ? `${shards} shards of ` : '';
  return {
    usd,
    what: `${servers} x ${SERVER.type}, ${shardsOf}${database.class} with ${database.replicas} replicas, ${cacheShards * CACHE_NODES} cache nodes`,
  };
}

function trafficUsd(traffic: ExpectedTraffic, prices: PriceTable): number {
  const { requests, egressGib } = usageOf(traffic, true, 0);
  return (
    usdFor(priceOf(prices, 'cloudfront.requests.https'), requests) +
    usdFor(priceOf(prices, 'cloudfront.data'), egressGib)
  );
}

function monthOf(prices: PriceTable, key: string): number {
  return usdFor(priceOf(prices, key), HOURS_PER_MONTH);
}

function priceOf(prices: PriceTable, key: string): Price {
  const price = prices.find(key);
  if (!price) throw new Error(`curve: no price for ${key} in ${prices.region}`);
  return price;
}

/** Instance types of growing size: the project's initial estimates in USD per month, and current prices. */
export function seedLadder(prices: PriceTable): { type: string; vcpus: number; seedUsd: number; usd: number }[] {
  return Object.entries(SEED_LADDER).map(([type, seedUsd]) => ({
    type,
    vcpus: prices.machine(type)?.vcpus ?? 0,
    seedUsd,
    usd: monthOf(prices, `ec2.${type}`),
  }));
}

const SEED_LADDER = {
  't3.micro': 8,
  't3.large': 60,
  'm6i.xlarge': 140,
  'm6i.4xlarge': 560,
  'r6i.16xlarge': 3200,
  'x2idn.24xlarge': 14_000,
  'u-24tb1.112xlarge': 200_000,
} as const;
