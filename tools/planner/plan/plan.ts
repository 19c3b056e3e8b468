import type { Template } from '../../cloudformation/template';
import { type Bill, billOf } from '../cost/bill';
import { spotPrice } from '../cost/machines';
import type { PriceTable } from '../prices/table';
import { bestServers } from '../usl';
import { type DatabasePlan, databaseFor, processesOf } from './database';
import { type FleetLaw, fleetLaw, heldBy, serversFor } from './fleet';
import { type LadderStep, ladder } from './ladder';
import { type MemoryNeed, memoryNeed, type NetworkLimit, networkLimit } from './machine';
import { type Scale, scaledTemplate } from './scaled-template';
import {
  cacheThreads,
  databaseVcpus,
  jobVcpus,
  type Load,
  loadOf,
  type PlanInput,
  serverVcpus,
  UTILIZATION_AFTER_LOSS,
  ZONES,
} from './workload';

/** Templates of the phases, by id, with the paths of their constructs. */
export type PhaseTemplates = ReadonlyMap<
  string,
  { readonly template: Template; readonly paths: ReadonlyMap<string, string> }
>;

/** A phase that holds the traffic, with how much of what. */
export interface PhasePlan {
  readonly phase: string;
  readonly holds: true;
  /** Peak requests/s of visitors up to which its servers hold it, whatever the database does. */
  readonly serversHoldRps: number;
  /** Servers at the peak; of phases 1 and 2 it is the box. */
  readonly servers: number;
  /** Servers on average over a month, which is what a fleet that shrinks is billed for. */
  readonly averageServers: number;
  readonly serverType: string;
  /** Workers at the peak; 0 where servers do the jobs. */
  readonly workers: number;
  /** Mean sizes of Auto Scaling groups, as the bill takes them. */
  readonly instances: Readonly<Record<string, number>>;
  /** Undefined where the box runs it. */
  readonly database: DatabasePlan | undefined;
  /** CDK context that makes it, `name=value` each. */
  readonly context: readonly string[];
  readonly reasons: readonly Reason[];
  readonly bill: Bill;
}

/** A phase that cannot hold it, or may not. */
export interface PhaseRefusal {
  readonly phase: string;
  readonly holds: false;
  readonly why: string;
}

/** A quantity and how it comes about. */
export interface Reason {
  readonly what: string;
  readonly how: string;
}

export interface Plan {
  /** The cheapest of the phases that hold it; undefined when none does. */
  readonly chosen: PhasePlan | undefined;
  readonly phases: readonly (PhasePlan | PhaseRefusal)[];
}

/** What the shop's settings allow at most. */
const MOST = { 'phase-3': 100, 'phase-4': 500, workers: 100 } as const;

/** Servers that any fleet has at least; phase 3 as it is has five, and two are enough to lose one. */
const LEAST = 2;

/** Types of phase 4, and their vCPUs; the first is preferred. */
const ELASTIC_VCPUS = 2;
const ELASTIC_TYPES = ['c7g.large', 'm7g.large', 'c6g.large', 'm6g.large'] as const;

/**
 * The phase for some traffic, and how much of everything: the cheapest one that holds it. As the bill of each phase never falls
 * with traffic, neither does that of the cheapest.
 */
export function planFor(input: PlanInput, templates: PhaseTemplates, prices: PriceTable): Plan {
  const phases = [onBox('phase-1', input), onBox('phase-2', input), onFarm(input), onElasticFleet(input)].map((make) =>
    make(templates, prices),
  );
  const [chosen] = phases
    .filter((phase): phase is PhasePlan => phase.holds)
    .sort((one, other) => one.bill.totalUsd - other.bill.totalUsd);
  return { chosen, phases };
}

/** Relative. */
const CAPACITY_ERROR = 1e-4;

/**
 * Peak requests/s up to which a plan stays as it is: all its tiers hold that with their margins, and no other plan is cheaper.
 * Above it, another command is to be deployed. It never falls with traffic: for any traffic up to it the plan is this one, and
 * for more traffic it is at least that traffic.
 */
export function capacityOf(chosen: PhasePlan, input: PlanInput, templates: PhaseTemplates, prices: PriceTable): number {
  const { traffic } = input;
  const isSame = (rps: number) => {
    const other = planFor({ ...input, traffic: { ...traffic, rps } }, templates, prices).chosen;
    return other !== undefined && deployed(other) === deployed(chosen);
  };
  let [same, another] = [traffic.rps, 2 * traffic.rps];
  while (isSame(another)) [same, another] = [another, 2 * another];
  while (another / same > 1 + CAPACITY_ERROR) {
    const middle = Math.sqrt(same * another);
    if (isSame(middle)) same = middle;
    else another = middle;
  }
  return same;
}

/** What is deployed by a plan, to tell it from another. */
function deployed({ phase, context, database }: PhasePlan): string {
  return [phase, ...context, database?.class].join(' ');
}

type Make = (templates: PhaseTemplates, prices: PriceTable) => PhasePlan | PhaseRefusal;

function onBox(phase: 'phase-1' | 'phase-2', input: PlanInput): Make {
  return (templates, prices) => {
    const refuse = (why: string): PhaseRefusal => ({ phase, holds: false, why });
    if (input.survive !== 'nothing') return refuse(`one machine, and the loss of a ${input.survive} must be survived`);
    const { traffic, utilization } = input;
    const load = loadOf(input, traffic.rps, false);
    const apart = phase === 'phase-2';
    const database = databaseVcpus(input, load);
    const busy = serverVcpus(input, load) + jobVcpus(input, load) + (apart ? 0 : database.writes + database.reads);
    const top = ladder.at(-1) as LadderStep;
    const machineOf = ({ instanceType, vcpus }: LadderStep) => ({
      memory: memoryNeed([instanceType], vcpus, input, prices, !apart),
      network: networkLimit([instanceType], input, prices, apart),
    });
    const step = ladder.find((one) => {
      const { memory, network } = machineOf(one);
      return one.vcpus * utilization >= busy && memory.fits && network.law.lambda * utilization >= traffic.rps;
    });
    if (!step) {
      const { mbps = 0 } = machineOf(top).network;
      return refuse(
        top.vcpus * utilization >= busy
          ? `the network of the biggest box has ${n(mbps)} Mbit/s, of which ${percent(utilization)} may be used`
          : `${n(busy)} vCPUs busy at the peak, and the biggest box has ${top.vcpus}, of which ${percent(utilization)} may be`,
      );
    }
    const { memory, network } = machineOf(step);
    const plan = apart
      ? databaseFor(databaseNeed(input, load, step.vcpus, false, false), prices, databaseOf(templates, phase))
      : undefined;
    if (plan && 'why' in plan) return refuse(plan.why);
    const reasons: Reason[] = [
      ...arrivals(input, load, false),
      {
        what: `box ${step.instanceType}`,
        how: `${n(busy)} vCPUs busy${apart ? '' : ', database included'}, at most ${percent(utilization)} of ${step.vcpus}: up, the next machine, until the ladder ends`,
      },
      ...machineReasons(input, step.instanceType, memory, network, traffic.rps, !apart),
      ...(plan ? databaseReasons(plan, input, load) : []),
      { what: 'one machine', how: 'when it is down, the shop is' },
    ];
    return {
      phase,
      holds: true,
      serversHoldRps: Math.min((traffic.rps * step.vcpus * utilization) / busy, network.law.lambda * utilization),
      servers: 1,
      averageServers: 1,
      serverType: step.instanceType,
      workers: 0,
      instances: {},
      database: plan,
      context: [`size=${step.name}`],
      reasons,
      bill: bill(templates, phase, { box: step, databaseClass: plan?.class }, {}, input, prices),
    };
  };
}

function onFarm(input: PlanInput): Make {
  const phase = 'phase-3';
  return (templates, prices) => {
    const { traffic, utilization } = input;
    const load = loadOf(input, traffic.rps, false);
    const busy = serverVcpus(input, load) + jobVcpus(input, load);
    if (cacheThreads(load) > utilization) return { phase, holds: false, why: tooBusyCache(load) };
    const plans: PhasePlan[] = [];
    let why = '';
    for (const step of ladder) {
      // A burstable server that works all the time pays for its credits.
      if (step.instanceType.startsWith('t') && utilization / traffic.peakToAverage > 0.2 + 1e-9) continue;
      const types = [step.instanceType];
      const memory = memoryNeed(types, step.vcpus, input, prices, false);
      if (!memory.fits) continue;
      const law = fleetLaw(input, step.vcpus, busy / load.origin);
      const network = networkLimit(types, input, prices, true);
      const servers = serversFor([law, network.law], load.origin, utilization, LEAST, MOST[phase]);
      if (servers === undefined) {
        why = tooMany(law, MOST[phase], step.instanceType, load.origin);
        continue;
      }
      const need = databaseNeed(input, load, processesOf(servers, step.vcpus), true, false);
      const database = databaseFor(need, prices, databaseOf(templates, phase));
      if ('why' in database) {
        why = database.why;
        continue;
      }
      const scale = { serverType: step.instanceType, databaseClass: database.class, replicas: database.replicas };
      plans.push({
        phase,
        holds: true,
        serversHoldRps: (traffic.rps * heldBy([law, network.law], servers, utilization)) / load.origin,
        servers,
        averageServers: servers,
        serverType: step.instanceType,
        workers: 0,
        instances: { Fleet: servers },
        database,
        context: [`size=${step.name}`, `servers=${servers}`, `replicas=${database.replicas}`],
        reasons: [
          ...arrivals(input, load, false),
          ...fleetReasons(input, law, servers, step.instanceType, load),
          ...machineReasons(input, step.instanceType, memory, network, load.origin / servers, false),
          { what: 'the same servers day and night', how: 'their number is set by hand: they are paid for the peak' },
          ...databaseReasons(database, input, load),
        ],
        bill: bill(templates, phase, scale, { Fleet: servers }, input, prices),
      });
    }
    const [best] = plans.sort((one, other) => one.bill.totalUsd - other.bill.totalUsd);
    return best ?? { phase, holds: false, why };
  };
}

function onElasticFleet(input: PlanInput): Make {
  const phase = 'phase-4';
  return (templates, prices) => {
    const refuse = (why: string): PhaseRefusal => ({ phase, holds: false, why });
    const { traffic, utilization } = input;
    const load = loadOf(input, traffic.rps, true);
    const mean = loadOf(input, traffic.rps / traffic.peakToAverage, true);
    if (cacheThreads(load) > utilization) return refuse(tooBusyCache(load));
    const law = fleetLaw(input, ELASTIC_VCPUS, serverVcpus(input, load) / load.origin);
    const memory = memoryNeed(ELASTIC_TYPES, ELASTIC_VCPUS, input, prices, false);
    if (!memory.fits) return refuse(`${n(memory.neededGib)} GiB a server, and the smallest type has less`);
    const network = networkLimit(ELASTIC_TYPES, input, prices, true);
    const laws = [law, network.law];
    const servers = serversFor(laws, load.origin, utilization, LEAST, MOST[phase]);
    if (servers === undefined) return refuse(tooMany(law, MOST[phase], ELASTIC_TYPES[0], load.origin));
    const average = serversFor(laws, mean.origin, utilization, LEAST, MOST[phase]) ?? servers;
    const workersFor = (at: Load) => Math.max(1, Math.ceil(jobVcpus(input, at) / (ELASTIC_VCPUS * utilization)));
    const [workers, averageWorkers] = [workersFor(load), workersFor(mean)];
    if (workers > MOST.workers) return refuse(`${workers} workers, and there are ${MOST.workers} at most`);
    const processes = processesOf(servers + workers, ELASTIC_VCPUS);
    const need = databaseNeed(input, load, processes, true, true);
    const database = databaseFor(need, prices, databaseOf(templates, phase));
    if ('why' in database) return refuse(database.why);
    const scale = { databaseClass: database.class, replicas: database.replicas };
    const instances = { ElasticFleet: average, Workers: averageWorkers };
    return {
      phase,
      holds: true,
      serversHoldRps: (traffic.rps * heldBy([law, network.law], servers, utilization)) / load.origin,
      servers,
      averageServers: average,
      serverType: ELASTIC_TYPES.join(', '),
      workers,
      instances,
      database,
      // The group must be able to grow, if only by one.
      context: [
        `minServers=${LEAST}`,
        `maxServers=${Math.max(LEAST + 1, servers)}`,
        `maxWorkers=${Math.max(2, workers)}`,
        `replicas=${database.replicas}`,
      ],
      reasons: [
        ...arrivals(input, load, true),
        ...fleetReasons(input, law, servers, ELASTIC_TYPES[0], load),
        ...machineReasons(input, 'any of its types', memory, network, load.origin / servers, false),
        {
          what: `${average} servers on average`,
          how: `the same for the mean of ${n(mean.origin)} requests/s: the fleet shrinks when the peak is over`,
        },
        {
          what: `${workers} worker${workers > 1 ? 's' : ''} at the peak`,
          how: `${n(load.jobs)} jobs/s x ${input.jobSeconds} s of CPU, at ${percent(utilization)} of ${ELASTIC_VCPUS} vCPUs each`,
        },
        spotReason(average, prices),
        ...databaseReasons(database, input, load),
      ],
      bill: bill(templates, phase, scale, instances, input, prices),
    };
  };
}

function bill(
  templates: PhaseTemplates,
  phase: string,
  scale: Scale,
  instances: Readonly<Record<string, number>>,
  { traffic }: PlanInput,
  prices: PriceTable,
): Bill {
  const { template, paths } = phaseOf(templates, phase);
  return billOf([{ id: phase, template: scaledTemplate(template, scale), paths }], { prices, traffic, instances });
}

function phaseOf(templates: PhaseTemplates, phase: string) {
  const found = templates.get(phase);
  if (!found) throw new Error(`plan: there is no template of ${phase}`);
  return found;
}

/** The database as the phase has it: no plan takes a smaller one. */
function databaseOf(templates: PhaseTemplates, phase: string): { class: string; storageGib: number } {
  const resources = Object.values(phaseOf(templates, phase).template.Resources);
  const primary = resources.find(({ Properties }) => Properties?.AllocatedStorage && Properties.DBInstanceClass);
  return {
    class: String(primary?.Properties?.DBInstanceClass),
    storageGib: Number(primary?.Properties?.AllocatedStorage),
  };
}

function databaseNeed(input: PlanInput, load: Load, processes: number, replicated: boolean, proxied: boolean) {
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

function tooMany(law: FleetLaw, most: number, type: string, rps: number): string {
  const best = bestServers(law);
  return best < most
    ? `${n(best)} servers carry the most by the measured law, and they do not carry ${n(rps)} requests/s`
    : `${most} servers of ${type} are the most, and they do not carry ${n(rps)} requests/s`;
}

function tooBusyCache(load: Load): string {
  return `sessions would keep the one thread of the cache's primary ${percent(cacheThreads(load))} busy`;
}

function arrivals({ traffic }: PlanInput, load: Load, hasEdge: boolean): Reason[] {
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

function fleetReasons(input: PlanInput, law: FleetLaw, servers: number, type: string, load: Load): Reason[] {
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
function machineReasons(
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

function databaseReasons(plan: DatabasePlan, input: PlanInput, load: Load): Reason[] {
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
function spotReason(servers: number, prices: PriceTable): Reason {
  const saving = spotSaving(servers, prices);
  const story = spotSaving(STORY_SERVERS, prices);
  if (saving === undefined || story === undefined) return { what: 'spot', how: 'no price of spot in the table' };
  return {
    what: `${Math.max(0, servers - LEAST)} of them spot`,
    how:
      `the first ${LEAST} are on demand; the fleet costs ${percent(saving)} less than on demand. A fleet of 50,000 a month would ` +
      `cost ${n(50_000 * (1 - story))} (the story says 20,000: 60% less; these types save ${percent(story)} on average)`,
  };
}

/** About 50,000 a month of the preferred type. */
const STORY_SERVERS = 945;

/** Share of the price on demand that a mixed fleet of phase 4 saves on average over the month; undefined without prices. */
export function spotSaving(
  servers: number,
  prices: PriceTable,
  types: readonly string[] = ELASTIC_TYPES,
): number | undefined {
  const onDemand = prices.find(`ec2.${types[0]}`)?.tiers[0]?.usd;
  const spot = spotPrice(types, prices);
  if (onDemand === undefined || typeof spot === 'string') return undefined;
  const base = Math.min(servers, LEAST);
  return 1 - (base * onDemand + (servers - base) * (spot.tiers[0]?.usd ?? 0)) / (servers * onDemand);
}

// Made once: a plan words dozens of numbers, and making them anew took a third of it.
const SMALL = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 2 });
const LARGE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

function n(value: number): string {
  return (value < 100 ? SMALL : LARGE).format(value);
}

function percent(share: number): string {
  return `${Math.round(share * 100)}%`;
}
