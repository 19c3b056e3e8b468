import { type BoxSize, MAX_SETTINGS, sizes } from '../../../lib/phases/sizes';
import type { PriceTable } from '../prices/table';
import { databaseFor, databaseNeed, processesOf } from './database';
import { fleetCapacity, fleetLaw, serversFor } from './fleet';
import { memoryNeed, networkLimit } from './machine';
import { type PhasePlan, type PhaseRefusal, type PhaseTemplates, refuse } from './phase-plan';
import { billAt, databaseOf } from './phase-template';
import {
  arrivals,
  databaseReasons,
  exceedsCache,
  exceedsFleet,
  exceedsMemory,
  FIXED_SIZE,
  fleetReasons,
  machineReasons,
} from './reasons';
import { BURSTABLE_BASELINE, cacheThreads, jobVcpus, type Load, loadOf, type PlanInput, serverVcpus } from './workload';

const PHASE = 'phase-3';

const MAX_SERVERS = MAX_SETTINGS.servers;

/** Plans phase 3 with the instance size that makes the whole phase cheapest. */
export function planFarm(input: PlanInput, templates: PhaseTemplates, prices: PriceTable): PhasePlan | PhaseRefusal {
  const { traffic, utilization } = input;
  const load = loadOf(input, traffic.rps, false);
  if (cacheThreads(load) > utilization) return refuse(PHASE, exceedsCache(load));
  const candidates = Object.entries(sizes)
    .filter(([, size]) => !needsPaidCredits(size, input))
    .map(([name, size]) => farmOf(name, size, load, input, templates, prices));
  const [cheapest] = candidates
    .filter((one): one is PhasePlan => one.holds)
    .sort((one, other) => one.bill.totalUsd - other.bill.totalUsd);
  return cheapest ?? (candidates.at(-1) as PhaseRefusal);
}

/** Whether a burstable server would run above its CPU baseline on average, which costs surplus credits. */
function needsPaidCredits({ instanceType }: BoxSize, { utilization, traffic }: PlanInput): boolean {
  return instanceType.startsWith('t') && utilization / traffic.peakToAverage > BURSTABLE_BASELINE + 1e-9;
}

function farmOf(
  name: string,
  { instanceType, vcpus }: BoxSize,
  load: Load,
  input: PlanInput,
  templates: PhaseTemplates,
  prices: PriceTable,
): PhasePlan | PhaseRefusal {
  const { traffic, utilization } = input;
  const memory = memoryNeed([instanceType], vcpus, input, prices, false);
  if (!memory.fits) return refuse(PHASE, exceedsMemory(memory));
  const law = fleetLaw(input, vcpus, (serverVcpus(input, load) + jobVcpus(input, load)) / load.origin);
  const network = networkLimit([instanceType], input, prices, true);
  const laws = [law, network.law];
  const servers = serversFor(laws, load.origin, utilization, MAX_SERVERS);
  if (servers === undefined) return refuse(PHASE, exceedsFleet(law, MAX_SERVERS, instanceType, load.origin));
  const database = databaseFor(
    databaseNeed(input, load, processesOf(servers, vcpus), { replicated: true, proxied: false }),
    prices,
    databaseOf(templates, PHASE),
  );
  if ('why' in database) return refuse(PHASE, database.why);
  const { class: databaseClass, replicas } = database;
  const instances = { Fleet: servers };
  return {
    phase: PHASE,
    holds: true,
    serversHoldRps: (traffic.rps * fleetCapacity(laws, servers, utilization)) / load.origin,
    servers,
    averageServers: servers,
    serverType: instanceType,
    workers: 0,
    instances,
    database,
    context: [`size=${name}`, `servers=${servers}`, `replicas=${replicas}`],
    reasons: [
      ...arrivals(input, load, false),
      ...fleetReasons(input, law, servers, instanceType, load),
      ...machineReasons(input, instanceType, memory, network, load.origin / servers, false),
      FIXED_SIZE,
      ...databaseReasons(database, input, load),
    ],
    bill: billAt(templates, PHASE, { serverType: instanceType, databaseClass, replicas }, instances, input, prices),
  };
}
