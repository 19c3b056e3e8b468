import { type BoxSize, ELASTIC_VCPUS } from '../../../lib/phases/sizes';
import type { PriceTable } from '../prices/table';
import { bestServers } from '../usl';
import type { DatabasePlan } from './database';
import { type FleetLaw, LEAST_SERVERS } from './fleet';
import type { MemoryNeed, NetworkLimit } from './machine';
import type { Reason } from './phase-plan';
import { spotSaving } from './spot-saving';
import { cacheThreads, databaseVcpus, type Load, type PlanInput, UTILIZATION_AFTER_LOSS, ZONES } from './workload';

export function exceedsBox(
  { vcpus, network }: { readonly vcpus: number; readonly network: NetworkLimit },
  busy: number,
  utilization: number,
): string {
  return vcpus * utilization >= busy
    ? `the network of the biggest box has ${n(network.mbps ?? 0)} Mbit/s, of which ${percent(utilization)} may be used`
    : `${n(busy)} vCPUs busy at the peak, and the biggest box has ${vcpus}, of which ${percent(utilization)} may be`;
}

export function exceedsFleet(law: FleetLaw, most: number, type: string, rps: number): string {
  const best = bestServers(law);
  return best < most
    ? `${n(best)} servers carry the most by the measured law, and they do not carry ${n(rps)} requests/s`
    : `${most} servers of ${type} are the most, and they do not carry ${n(rps)} requests/s`;
}

export function exceedsMemory({ neededGib }: MemoryNeed): string {
  return `${n(neededGib)} GiB a server, and the smallest type has less`;
}

export function exceedsWorkers(workers: number, most: number): string {
  return `${workers} workers, and there are ${most} at most`;
}

export function exceedsCache(load: Load): string {
  return `sessions would keep the one thread of the cache's primary ${percent(cacheThreads(load))} busy`;
}

export function arrivals({ traffic }: PlanInput, load: Load, hasEdge: boolean): Reason[] {
  const mean = traffic.rps / traffic.peakToAverage;
  return [
    {
      what: `${n(load.origin)} requests/s reach the servers`,
      how: hasEdge
        ? `${n(traffic.rps)} at the peak, less what the edge answers (${percent(traffic.edgeHitRatio)}); the mean is ${n(mean)} before the edge`
        : `all of the peak; there is no edge. The mean is ${n(mean)}`,
    },
  ];
}

export function boxReason(
  { utilization }: PlanInput,
  { instanceType, vcpus }: Pick<BoxSize, 'instanceType' | 'vcpus'>,
  busy: number,
  separate: boolean,
): Reason {
  return {
    what: `box ${instanceType}`,
    how: `${n(busy)} vCPUs busy${separate ? '' : ', database included'}, at most ${percent(utilization)} of ${vcpus}: up, the next machine, until the ladder ends`,
  };
}

export const ONE_MACHINE: Reason = { what: 'one machine', how: 'when it is down, the shop is' };

export const FIXED_SIZE: Reason = {
  what: 'the same servers day and night',
  how: 'their number is set by hand: they are paid for the peak',
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
      how: `the same for the mean of ${n(mean.origin)} requests/s: the fleet shrinks when the peak is over`,
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
  const inService = Math.ceil(servers / ZONES);
  const source = input.usl
    ? `USL lambda ${n(law.lambda)}, sigma ${law.sigma}, kappa ${law.kappa}`
    : `${n(law.lambda)} at 100% CPU by ${input.demand.command} (${input.demand.asOf}); no contention measured: --usl`;
  const seconds = load.origin / law.lambda / (1 - utilization);
  return [
    {
      what: `${servers} servers ${type}`,
      how:
        `${n(perServer)} requests/s each at ${percent(utilization)} (${source}); with one lost, and with the ${inService} of a zone ` +
        `lost, the others stay below ${percent(UTILIZATION_AFTER_LOSS)}`,
    },
    {
      what: `${n(seconds)} requests in flight`,
      how: `Little's law: requests/s x time in the server, which is ${n((1000 * seconds) / load.origin)} ms when ${percent(utilization)} busy`,
    },
  ];
}

/** What a server needs besides CPU, and has. */
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
  const ofAnswers =
    bytesPerRequest === traffic.responseBytes ? 'an answer' : 'a request and what the data tier sends for it';
  return [
    memoryGib === undefined
      ? { what: 'memory is not reckoned', how: `the table does not have ${type}` }
      : {
          what: `memory: ${n(neededGib)} of ${n(memoryGib)} GiB`,
          how:
            `${processes} processes x ${n(processMib)} MiB (${demand.command}), and the system` +
            `${withDatabase ? '; the other half of the box is for PostgreSQL' : ''}`,
        },
    mbps === undefined
      ? { what: 'network is not reckoned', how: `nobody says how much of it ${type} has all the time` }
      : {
          what: `network: ${n((rps * bytesPerRequest * 8) / 1e6)} of ${n(mbps)} Mbit/s`,
          how: `${n(bytesPerRequest)} bytes (${ofAnswers}) x ${n(rps)} requests/s a server, at most ${percent(utilization)} of what ${type} has without bursts`,
        },
  ];
}

export function databaseReasons(plan: DatabasePlan, input: PlanInput, load: Load): Reason[] {
  const { writes, reads } = databaseVcpus(input, load);
  const kept = percent(1 - input.cacheHitRatio);
  return [
    {
      what: `database ${plan.class}`,
      how:
        plan.replicas > 0
          ? `${n(writes)} vCPUs busy with writes, at most ${percent(input.utilization)} of ${plan.vcpus}`
          : `${n(writes + reads)} vCPUs busy, at most ${percent(input.utilization)} of ${plan.vcpus}`,
    },
    ...(plan.replicas > 0
      ? [
          {
            what: `${plan.replicas} read replicas`,
            how: `${n(reads)} vCPUs busy with reads (${n(load.misses)} of ${n(load.catalogue)} catalogue reads/s miss the caches: ${kept}); one may be lost`,
          },
        ]
      : []),
    {
      what: plan.pool === undefined ? 'a proxy in front of the database' : `${plan.pool} connections a process`,
      how:
        `${n(plan.busyConnections)} busy by Little's law; all together at most ${plan.usableConnections}, 80% of the ` +
        `${plan.maxConnections} of the class`,
    },
  ];
}

/** What spot saves, and what becomes of the story's 50,000 a month. */
export function spotReason(servers: number, prices: PriceTable): Reason {
  const saving = spotSaving(servers, prices);
  const story = spotSaving(STORY_SERVERS, prices);
  if (saving === undefined || story === undefined) return { what: 'spot', how: 'no price of spot in the table' };
  return {
    what: `${Math.max(0, servers - LEAST_SERVERS)} of them spot`,
    how:
      `the first ${LEAST_SERVERS} are on demand; the fleet costs ${percent(saving)} less than on demand. A fleet of 50,000 a month would ` +
      `cost ${n(50_000 * (1 - story))} (the story says 20,000: 60% less; these types save ${percent(story)} on average)`,
  };
}

/** About 50,000 a month of the preferred type. */
const STORY_SERVERS = 945;

// Made once: a plan words dozens of numbers, and making them anew took a third of it.
const SMALL = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 2 });
const LARGE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

function n(value: number): string {
  return (value < 100 ? SMALL : LARGE).format(value);
}

function percent(share: number): string {
  return `${Math.round(share * 100)}%`;
}
