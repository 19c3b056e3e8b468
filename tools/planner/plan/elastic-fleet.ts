import { ELASTIC_INSTANCE_TYPES, ELASTIC_VCPUS, MAX_SETTINGS } from '../../../lib/phases/sizes';
import type { PriceTable } from '../prices/table';
import { databaseFor, databaseNeed, processesOf } from './database';
import { fleetCapacity, fleetLaw, MIN_SERVERS, serversFor } from './fleet';
import { memoryNeed, networkLimit } from './machine';
import { type PhasePlan, type PhaseRefusal, type PhaseTemplates, refuse } from './phase-plan';
import { billAt, databaseOf } from './phase-template';
import {
  arrivals,
  databaseReasons,
  elasticityReasons,
  exceedsCache,
  exceedsFleet,
  exceedsMemory,
  exceedsWorkers,
  fleetReasons,
  machineReasons,
  spotReason,
} from './reasons';
import { cacheThreads, jobVcpus, type Load, loadOf, type PlanInput, serverVcpus } from './workload';

const PHASE = 'phase-4';
const [PREFERRED] = ELASTIC_INSTANCE_TYPES;

const MAX_SERVERS = MAX_SETTINGS.maxServers;
const MAX_WORKERS = MAX_SETTINGS.maxWorkers;

/** Plans phase 4: sized for the peak, billed for the mean. */
export function planElasticFleet(
  input: PlanInput,
  templates: PhaseTemplates,
  prices: PriceTable,
): PhasePlan | PhaseRefusal {
  const { traffic, utilization } = input;
  const load = loadOf(input, traffic.rps, true);
  const mean = loadOf(input, traffic.rps / traffic.peakToAverage, true);
  if (cacheThreads(load) > utilization) return refuse(PHASE, exceedsCache(load));
  const memory = memoryNeed(ELASTIC_INSTANCE_TYPES, ELASTIC_VCPUS, input, prices, false);
  if (!memory.fits) return refuse(PHASE, exceedsMemory(memory));
  const law = fleetLaw(input, ELASTIC_VCPUS, serverVcpus(input, load) / load.origin);
  const network = networkLimit(ELASTIC_INSTANCE_TYPES, input, prices, true);
  const laws = [law, network.law];
  const servers = serversFor(laws, load.origin, utilization, MAX_SERVERS);
  if (servers === undefined) return refuse(PHASE, exceedsFleet(law, MAX_SERVERS, PREFERRED, load.origin));
  const averageServers = serversFor(laws, mean.origin, utilization, MAX_SERVERS) ?? servers;
  const [workers, averageWorkers] = [workersFor(input, load), workersFor(input, mean)];
  if (workers > MAX_WORKERS) return refuse(PHASE, exceedsWorkers(workers, MAX_WORKERS));
  const processes = processesOf(servers + workers, ELASTIC_VCPUS);
  const database = databaseFor(
    databaseNeed(input, load, processes, { replicated: true, proxied: true }),
    prices,
    databaseOf(templates, PHASE),
  );
  if ('why' in database) return refuse(PHASE, database.why);
  const { class: databaseClass, replicas } = database;
  const instances = { ElasticFleet: averageServers, Workers: averageWorkers };
  return {
    phase: PHASE,
    holds: true,
    serversHoldRps: (traffic.rps * fleetCapacity(laws, servers, utilization)) / load.origin,
    servers,
    averageServers,
    serverType: ELASTIC_INSTANCE_TYPES.join(', '),
    workers,
    instances,
    database,
    // The group must be able to grow by at least one.
    context: [
      `minServers=${MIN_SERVERS}`,
      `maxServers=${Math.max(MIN_SERVERS + 1, servers)}`,
      `maxWorkers=${Math.max(2, workers)}`,
      `replicas=${replicas}`,
    ],
    reasons: [
      ...arrivals(input, load, true),
      ...fleetReasons(input, law, servers, PREFERRED, load),
      ...machineReasons(input, 'any of its types', memory, network, load.origin / servers, false),
      ...elasticityReasons(input, averageServers, mean, workers, load),
      spotReason(averageServers, prices),
      ...databaseReasons(database, input, load),
    ],
    bill: billAt(templates, PHASE, { databaseClass, replicas }, instances, input, prices),
  };
}

function workersFor(input: PlanInput, load: Load): number {
  return Math.max(1, Math.ceil(jobVcpus(input, load) / (ELASTIC_VCPUS * input.utilization)));
}
