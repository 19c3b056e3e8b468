import { CONNECTION_SHARE, FLEET_SURGE, RDS_BYTES_PER_CONNECTION, RDS_MAX_CONNECTIONS } from '../../../lib/constants';
import { vcpusOf } from '../cost/databases';
import { HOURS_PER_MONTH, type PriceTable } from '../prices/table';
import { BURSTABLE_BASELINE, databaseVcpus, type Load, type PlanInput, UTILIZATION_AFTER_LOSS } from './workload';

/** Limit of read replicas for an RDS instance. */
const MAX_REPLICAS = 15;

/** Reads survive the loss of one replica. */
const MIN_REPLICAS = 2;

/** Connections reserved for superusers: 3 by PostgreSQL, 2 by RDS. */
const RESERVED_CONNECTIONS = 5;

/** The app's limit for the pool of a process. More connections only queue inside PostgreSQL. */
const MAX_POOL = 20;

/** Milliseconds that a statement holds a connection in addition to database work: network and app. */
const HOLD_MS = 2;

export interface DatabaseNeed {
  /** vCPUs busy with writes, at the peak. */
  readonly writes: number;
  /** vCPUs busy with reads, at the peak. */
  readonly reads: number;
  /** Statements/s at the peak. */
  readonly statements: number;
  /** Whether there are read replicas and a Multi-AZ standby. */
  readonly replicated: boolean;
  /** App processes, each with its own pool. Ignored with `proxied`. */
  readonly processes: number;
  readonly proxied: boolean;
  readonly utilization: number;
  readonly peakToAverage: number;
}

export interface DatabasePlan {
  readonly class: string;
  readonly vcpus: number;
  readonly replicas: number;
  readonly maxConnections: number;
  /** Connections that all pools together may open. */
  readonly usableConnections: number;
  /** Pool size of each process; undefined behind a proxy. */
  readonly pool: number | undefined;
  /** Connections in use at the peak, by Little's law. */
  readonly busyConnections: number;
}

/** @param processes app processes during an instance refresh */
export function databaseNeed(
  input: PlanInput,
  load: Load,
  processes: number,
  { replicated, proxied }: Pick<DatabaseNeed, 'replicated' | 'proxied'>,
): DatabaseNeed {
  return {
    ...databaseVcpus(input, load),
    statements: load.misses + load.sessions + load.writes,
    replicated,
    processes,
    proxied,
    utilization: input.utilization,
    peakToAverage: input.traffic.peakToAverage,
  };
}

/** App processes of a fleet, including the surge during an instance refresh. */
export function processesOf(servers: number, vcpus: number): number {
  return Math.ceil((servers * (100 + FLEET_SURGE)) / 100) * vcpus;
}

/**
 * Chooses the cheapest sufficient class, replicas included, or returns the reason why none is sufficient.
 *
 * @param current class and storage of the template; the plan never chooses a cheaper class
 */
export function databaseFor(
  need: DatabaseNeed,
  prices: PriceTable,
  current: { readonly class: string; readonly storageGib: number },
): DatabasePlan | { why: string } {
  const floor = prices.find(`rds.postgres.${current.class}.single`)?.tiers[0]?.usd ?? 0;
  const plans = classesOf(prices)
    .filter(({ usd }) => usd >= floor)
    .map((found) => ({ ...found, plan: planWith(found, need) }))
    .filter(({ plan }) => plan !== undefined)
    .map(({ usd, multiUsd, plan }) => ({
      plan: plan as DatabasePlan,
      usd: monthly(need, plan as DatabasePlan, usd, multiUsd),
    }));
  const [best] = plans.sort((one, other) => one.usd - other.usd);
  if (best) return best.plan;
  const [top] = classesOf(prices).sort((one, other) => other.vcpus - one.vcpus);
  const busy = need.replicated ? need.writes : need.writes + need.reads;
  if (top && busy > top.vcpus * need.utilization) {
    return {
      why: `the writer would need ${ceil(busy / need.utilization)} vCPUs, and the largest class has ${top.vcpus}`,
    };
  }
  if (!need.proxied && top && need.processes > usable(top.memoryGib)) {
    return {
      why: `${need.processes} processes exceed the ${usable(top.memoryGib)} usable connections of the largest class`,
    };
  }
  return { why: `reads would exceed ${MAX_REPLICAS} replicas or the connections of every class` };

  function monthly({ replicated, proxied }: DatabaseNeed, plan: DatabasePlan, usd: number, multiUsd: number): number {
    const replicaStorage = (prices.find('rds.gp3.storage.single')?.tiers[0]?.usd ?? 0) * current.storageGib;
    const proxy = proxied ? (prices.find('rds.proxy')?.tiers[0]?.usd ?? 0) * plan.vcpus : 0;
    return (
      (replicated ? multiUsd + proxy : usd) * HOURS_PER_MONTH + plan.replicas * (usd * HOURS_PER_MONTH + replicaStorage)
    );
  }
}

interface Class {
  readonly name: string;
  readonly vcpus: number;
  readonly memoryGib: number;
  /** USD per hour, Single-AZ. */
  readonly usd: number;
  /** USD per hour, Multi-AZ. */
  readonly multiUsd: number;
}

function planWith(found: Class, need: DatabaseNeed): DatabasePlan | undefined {
  const { utilization, replicated } = need;
  const burstable = found.name.startsWith('db.t');
  if (burstable && utilization / need.peakToAverage > BURSTABLE_BASELINE + 1e-9) return undefined;
  const held = found.vcpus * utilization;
  if ((replicated ? need.writes : need.writes + need.reads) > held) return undefined;
  let replicas = 0;
  if (replicated) {
    const afterLoss = found.vcpus * UTILIZATION_AFTER_LOSS;
    replicas = Math.max(MIN_REPLICAS, Math.ceil(need.reads / held), Math.ceil(need.reads / afterLoss) + 1);
    if (replicas > MAX_REPLICAS) return undefined;
  }
  // Little's law: connections in use = statements/s x hold time.
  const busySeconds = need.writes + need.reads + (need.statements * HOLD_MS) / 1000;
  const busyConnections = busySeconds / (1 - utilization) / (1 + replicas);
  const usableConnections = usable(found.memoryGib);
  const pool = need.proxied ? undefined : Math.min(MAX_POOL, Math.floor(usableConnections / need.processes));
  const open = pool === undefined ? usableConnections : pool * need.processes;
  if (pool === 0 || busyConnections > open) return undefined;
  return {
    class: found.name,
    vcpus: found.vcpus,
    replicas,
    maxConnections: maxConnections(found.memoryGib * 2 ** 30),
    usableConnections,
    pool,
    busyConnections,
  };
}

export function maxConnections(memoryBytes: number): number {
  return Math.min(RDS_MAX_CONNECTIONS, Math.floor(memoryBytes / RDS_BYTES_PER_CONNECTION));
}

function usable(memoryGib: number): number {
  return Math.floor((maxConnections(memoryGib * 2 ** 30) - RESERVED_CONNECTIONS) * CONNECTION_SHARE);
}

function classesOf(prices: PriceTable): Class[] {
  return prices.prices().flatMap(({ key, tiers }) => {
    const [, name] = /^rds\.postgres\.(db\..+)\.single$/.exec(key) ?? [];
    const multi = name && prices.find(`rds.postgres.${name}.multi`);
    const vcpus = name && vcpusOf(name, prices);
    const memoryGib = name && vcpus && memoryOf(name, vcpus, prices);
    if (!multi || !memoryGib || !vcpus) return [];
    return [{ name, vcpus, memoryGib, usd: tiers[0]?.usd ?? 0, multiUsd: multi.tiers[0]?.usd ?? 0 }];
  });
}

/** GiB of a class: from the EC2 type of the same name, or from the ratio of its family. */
function memoryOf(name: string, vcpus: number, prices: PriceTable): number | undefined {
  const known = prices.machine(name.replace(/^db\./, ''))?.memoryGib;
  if (known !== undefined) return known;
  const [, family] = /^db\.([a-z])/.exec(name) ?? [];
  const perVcpu = { m: 4, r: 8 }[family ?? ''];
  return perVcpu && perVcpu * vcpus;
}

function ceil(value: number): string {
  return Math.ceil(value).toLocaleString('en-US');
}
