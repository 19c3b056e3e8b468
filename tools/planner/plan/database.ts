import { CONNECTION_SHARE, FLEET_SURGE } from '../../../lib/constants';
import { vcpusOf } from '../cost/databases';
import { HOURS_PER_MONTH, type PriceTable } from '../prices/table';
import { BURSTABLE_BASELINE, databaseVcpus, type Load, type PlanInput, UTILIZATION_AFTER_LOSS } from './workload';

/** Most read replicas of an RDS instance. */
const MAX_REPLICAS = 15;

/** A replica that is lost leaves another one. */
const LEAST_REPLICAS = 2;

/** Connections that PostgreSQL on RDS keeps for superusers: PostgreSQL's 3, and 2 of RDS. */
const RESERVED_CONNECTIONS = 5;

/** Connections of a process at most; more only queue inside PostgreSQL. The app's own limit. */
const MAX_POOL = 20;

/** Milliseconds that a connection is held besides the database's work: the network, and the app between statements. */
const HOLD_MS = 2;

export interface DatabaseNeed {
  /** vCPUs busy with writes, at the peak. */
  readonly writes: number;
  /** vCPUs busy with reads, at the peak. */
  readonly reads: number;
  /** Statements/s at the peak. */
  readonly statements: number;
  /** Whether replicas take the reads, and a standby the failure. */
  readonly replicated: boolean;
  /** Processes of the app that each have a pool; a proxy takes their place with `proxied`. */
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
  /** Connections that the app may use together. */
  readonly usableConnections: number;
  /** Connections of each process; undefined behind a proxy. */
  readonly pool: number | undefined;
  /** Connections that are busy at the peak: Little's law. */
  readonly busyConnections: number;
}

/** @param processes of the app, while servers are being replaced */
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

/** Servers and workers while some are being replaced, times the processes of each. */
export function processesOf(servers: number, vcpus: number): number {
  return Math.ceil((servers * (100 + FLEET_SURGE)) / 100) * vcpus;
}

/**
 * The cheapest class, with its replicas, that holds the need; else why none does.
 *
 * @param least the class below which it does not go, and the storage of each instance
 */
export function databaseFor(
  need: DatabaseNeed,
  prices: PriceTable,
  least: { readonly class: string; readonly storageGib: number },
): DatabasePlan | { why: string } {
  const floor = prices.find(`rds.postgres.${least.class}.single`)?.tiers[0]?.usd ?? 0;
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
      why: `the one database that writes would need ${ceil(busy / need.utilization)} vCPUs, and the biggest class has ${top.vcpus}`,
    };
  }
  if (!need.proxied && top && need.processes > usable(top.memoryGib)) {
    return { why: `${need.processes} processes are more than the ${usable(top.memoryGib)} connections of any class` };
  }
  return { why: `reads would need more than ${MAX_REPLICAS} replicas, or more connections than any class has` };

  function monthly({ replicated, proxied }: DatabaseNeed, plan: DatabasePlan, usd: number, multiUsd: number): number {
    const replicaStorage = (prices.find('rds.gp3.storage.single')?.tiers[0]?.usd ?? 0) * least.storageGib;
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
  /** An hour, Single-AZ. */
  readonly usd: number;
  /** An hour, Multi-AZ. */
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
    replicas = Math.max(LEAST_REPLICAS, Math.ceil(need.reads / held), Math.ceil(need.reads / afterLoss) + 1);
    if (replicas > MAX_REPLICAS) return undefined;
  }
  // Little's law: connections in use are statements/s times how long each holds one.
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
    maxConnections: maxConnections(found.memoryGib),
    usableConnections,
    pool,
    busyConnections,
  };
}

/** @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html#RDS_Limits.MaxConnections */
function maxConnections(memoryGib: number): number {
  return Math.min(5000, Math.floor((memoryGib * 2 ** 30) / 9_531_392));
}

function usable(memoryGib: number): number {
  return Math.floor((maxConnections(memoryGib) - RESERVED_CONNECTIONS) * CONNECTION_SHARE);
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

/** GiB of a class: those of the EC2 type of its name, else by the rule that its family follows. */
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
