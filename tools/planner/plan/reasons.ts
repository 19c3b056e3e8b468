import { type BoxSize, ELASTIC_VCPUS } from '../../../lib/phases/sizes';
import type { PriceTable } from '../prices/table';
import { bestServers } from '../usl';
import type { DatabasePlan } from './database';
import { type FleetLaw, MIN_SERVERS } from './fleet';
import type { MemoryNeed, NetworkLimit } from './machine';
import type { Reason } from './phase-plan';
import { spotSaving } from './spot-saving';
import { cacheThreads, databaseVcpus, type Load, type PlanInput, UTILIZATION_AFTER_LOSS, ZONES } from './workload';

export function lacksRedundancy(survive: string): string {
  return `a single machine cannot survive the loss of a ${survive}`;
}

export function exceedsBox(
  { vcpus, network }: { readonly vcpus: number; readonly network: NetworkLimit },
  busy: number,
  utilization: number,
): string {
  return vcpus * utilization >= busy
    ? `the network of the largest size has ${n(network.mbps ?? 0)} Mbit/s, of which ${percent(utilization)} may be used`
    : `${n(busy)} vCPUs busy at the peak, and the largest size has ${vcpus}, of which ${percent(utilization)} may be used`;
}

export function exceedsFleet(law: FleetLaw, maximum: number, type: string, rps: number): string {
  const best = bestServers(law);
  return best < maximum
    ? `by the measured scalability law throughput peaks at ${n(best)} servers, below ${n(rps)} requests/s`
    : `the maximum of ${maximum} servers of ${type} carries less than ${n(rps)} requests/s`;
}

export function exceedsMemory({ neededGib }: MemoryNeed): string {
  return `a server needs ${n(neededGib)} GiB, more than its instance type has`;
}

export function exceedsWorkers(workers: number, maximum: number): string {
  return `${workers} workers needed, and the maximum is ${maximum}`;
}

export function exceedsCache(load: Load): string {
  return `sessions would keep the single thread of the primary cache node ${percent(cacheThreads(load))} busy`;
}

export function arrivals({ traffic }: PlanInput, load: Load, hasEdge: boolean): Reason[] {
  const mean = traffic.rps / traffic.peakToAverage;
  return [
    {
      what: `${n(load.origin)} requests/s reach the servers`,
      how: hasEdge
        ? `${n(traffic.rps)} at the peak, less the edge cache hits (${percent(traffic.edgeHitRatio)}); mean before the edge: ${n(mean)}`
        : `the whole peak, because there is no edge; mean: ${n(mean)}`,
    },
  ];
}

export function boxReason(
  { utilization }: PlanInput,
  { instanceType, vcpus }: Pick<BoxSize, 'instanceType' | 'vcpus'>,
  busy: number,
  separate: boolean,
): Reason {
  const scope = separate ? '' : ' with the database';
  return {
    what: `instance ${instanceType}`,
    how: `${n(busy)} vCPUs busy${scope}, limit ${percent(utilization)} of ${vcpus}; scales up until the largest size`,
  };
}

export const ONE_MACHINE: Reason = {
  what: 'single point of failure',
  how: 'while the instance is down, the shop is down',
};

export const FIXED_SIZE: Reason = {
  what: 'fixed number of servers',
  how: 'no Auto Scaling: sized and billed for the peak, day and night',
};

export function elasticityReasons(
  { jobSeconds, utilization }: PlanInput,
  averageServers: number,
  mean: Load,
  workers: number,
  load: Load,
): Reason[] {
  return [
    {
      what: `${averageServers} servers on average`,
      how: `the same calculation for the mean of ${n(mean.origin)} requests/s: the fleet scales in after the peak`,
    },
    {
      what: `${workers} worker${workers > 1 ? 's' : ''} at the peak`,
      how: `${n(load.jobs)} jobs/s x ${jobSeconds} s of CPU, at ${percent(utilization)} of ${ELASTIC_VCPUS} vCPUs each`,
    },
  ];
}

export function fleetReasons(input: PlanInput, law: FleetLaw, servers: number, type: string, load: Load): Reason[] {
  const { utilization } = input;
  const perServer = law.lambda * utilization;
  const perZone = Math.ceil(servers / ZONES);
  const source = input.usl
    ? `USL lambda ${n(law.lambda)}, sigma ${law.sigma}, kappa ${law.kappa}`
    : `${n(law.lambda)} at 100% CPU by ${input.demand.command} (${input.demand.asOf}); contention not measured: --usl`;
  const seconds = load.origin / law.lambda / (1 - utilization);
  return [
    {
      what: `${servers} servers ${type}`,
      how:
        `${n(perServer)} requests/s each at ${percent(utilization)} (${source}); after the loss of one server, or of the ` +
        `${perZone} in a zone, the others stay below ${percent(UTILIZATION_AFTER_LOSS)}`,
    },
    {
      what: `${n(seconds)} requests in flight`,
      how: `Little's law: requests/s x response time of ${n((1000 * seconds) / load.origin)} ms at ${percent(utilization)} utilization`,
    },
  ];
}

/** Memory and network of a server: needed and available. */
export function machineReasons(
  { demand, utilization, traffic }: PlanInput,
  type: string,
  memory: MemoryNeed,
  network: NetworkLimit,
  rps: number,
  withDatabase: boolean,
): Reason[] {
  const { processes, processMib, neededGib, memoryGib } = memory;
  const { bytesPerRequest, mbps } = network;
  const source = bytesPerRequest === traffic.responseBytes ? 'response' : 'request and data tier';
  return [
    memoryGib === undefined
      ? { what: 'memory not checked', how: `machines.csv has no ${type}` }
      : {
          what: `memory: ${n(neededGib)} of ${n(memoryGib)} GiB`,
          how:
            `${processes} processes x ${n(processMib)} MiB (${demand.command}), plus the operating system` +
            `${withDatabase ? '; PostgreSQL has the other half of the memory' : ''}`,
        },
    mbps === undefined
      ? { what: 'network not checked', how: `the baseline bandwidth of ${type} is unknown` }
      : {
          what: `network: ${n((rps * bytesPerRequest * 8) / 1e6)} of ${n(mbps)} Mbit/s`,
          how: `${n(bytesPerRequest)} bytes (${source}) x ${n(rps)} requests/s a server, limit ${percent(utilization)} of the baseline bandwidth of ${type}`,
        },
  ];
}

export function databaseReasons(plan: DatabasePlan, input: PlanInput, load: Load): Reason[] {
  const { writes, reads } = databaseVcpus(input, load);
  const missRatio = percent(1 - input.cacheHitRatio);
  const busy = plan.replicas > 0 ? `${n(writes)} vCPUs busy with writes` : `${n(writes + reads)} vCPUs busy`;
  return [
    { what: `database ${plan.class}`, how: `${busy}, limit ${percent(input.utilization)} of ${plan.vcpus}` },
    ...(plan.replicas > 0
      ? [
          {
            what: `${plan.replicas} read replicas`,
            how: `${n(reads)} vCPUs busy with reads (${n(load.misses)} of ${n(load.catalogue)} catalog reads/s miss the caches: ${missRatio}); one replica may fail`,
          },
        ]
      : []),
    {
      what: plan.pool === undefined ? 'RDS Proxy' : `${plan.pool} connections a process`,
      how:
        `${n(plan.busyConnections)} busy by Little's law; limit ${plan.usableConnections} in total, 80% of the ` +
        `${plan.maxConnections} of the class`,
    },
  ];
}

/** Spot savings of this fleet, and of the reference case of 50,000 USD a month that `docs/numbers.md` describes. */
export function spotReason(servers: number, prices: PriceTable): Reason {
  const saving = spotSaving(servers, prices);
  const reference = spotSaving(REFERENCE_SERVERS, prices);
  if (saving === undefined || reference === undefined)
    return { what: 'spot', how: 'the price table has no spot price' };
  return {
    what: `${Math.max(0, servers - MIN_SERVERS)} of them spot`,
    how:
      `the first ${MIN_SERVERS} are On-Demand; the fleet costs ${percent(saving)} less than On-Demand. A fleet of 50,000 a month would ` +
      `cost ${n(50_000 * (1 - reference))} (reference case: 20,000, 60% less; these types save ${percent(reference)} on average)`,
  };
}

/** About 50,000 USD a month of the preferred type. */
const REFERENCE_SERVERS = 945;

// Created once: a plan formats dozens of numbers, and formatters took a third of its time.
const SMALL = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 2 });
const LARGE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

function n(value: number): string {
  return (value < 100 ? SMALL : LARGE).format(value);
}

function percent(share: number): string {
  return `${Math.round(share * 100)}%`;
}
