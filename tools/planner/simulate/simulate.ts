import { onDemandOf } from '../scaling/capacity';
import { type Decision, GroupController } from '../scaling/group-controller';
import type { ScalingProfile } from '../scaling/profile';
import type { MetricKind, ScalingGroup } from '../scaling/scaling-group';
import { ModelFleet } from './model-fleet';
import { randomNumbers } from './random';
import type { RequestSeries } from './traffic';

export interface SimulationOptions {
  readonly group: ScalingGroup;
  readonly traffic: RequestSeries;
  readonly profile: ScalingProfile;
  /** Requests per minute of one server at 100% CPU; jobs for workers. */
  readonly requestsPerServer: number;
  /** Seconds from in service until the app responds to health checks. */
  readonly appStart: number;
  /** Delay of CloudWatch metrics in seconds, rounded down to minutes. */
  readonly metricDelay: number;
  /** Share of spot servers interrupted per month: 0 to 1. */
  readonly spotLossPerMonth: number;
  /** Minute at which all spot servers are interrupted. */
  readonly spotSweepAtMinute?: number;
  readonly seed: number;
  /** Initial servers. @default the group's desired capacity, or its minimum */
  readonly desired?: number;
  /** Forecast of requests/s at a time, for predictive scaling. @default a seasonal-naive forecast */
  readonly expected?: (at: number) => number | undefined;
}

/** Values per minute, in whole requests. */
export interface Series {
  readonly demand: Float64Array;
  readonly served: Float64Array;
  readonly capacity: Float64Array;
  readonly desired: Float64Array;
  readonly inService: Float64Array;
  /** Mean CPU of the serving servers, in percent. */
  readonly cpu: Float64Array;
}

export interface Simulation {
  readonly series: Series;
  readonly decisions: readonly Decision[];
  readonly summary: Summary;
}

export interface Summary {
  readonly minutes: number;
  /** Requests, or jobs for workers; served + dropped + waiting = demand. */
  readonly demand: number;
  readonly served: number;
  readonly dropped: number;
  /** Jobs in the queue at the end; 0 for servers, which drop excess requests. */
  readonly waiting: number;
  readonly mostWaiting: number;
  /** Whether the group processes a queue. */
  readonly waits: boolean;
  /** Highest minute, in requests/s. */
  readonly peakRps: number;
  readonly droppingMinutes: number;
  /** Target CPU in percent. */
  readonly cpuTarget: number;
  readonly minutesAboveTarget: number;
  readonly fewest: number;
  readonly most: number;
  readonly mean: number;
  readonly minutesAtMax: number;
  readonly changesOut: number;
  readonly changesIn: number;
  /** Changes that reverse one within {@link THRASH_WINDOW}. */
  readonly thrash: number;
  readonly spotLost: number;
  readonly neverHealthy: number;
  readonly onDemandHours: number;
  readonly spotHours: number;
}

/** A reversal within this time counts as thrash. Seconds. */
export const THRASH_WINDOW = 1800;

/**
 * Simulates a group's policies under traffic, on identical servers. The result is deterministic.
 */
export function simulate(options: SimulationOptions): Simulation {
  const { group, traffic, profile, requestsPerServer } = options;
  const queue = group.policies.some(
    (policy) => policy.kind === 'target tracking' && policy.metric === 'backlogPerInstance',
  );
  const controller = new GroupController(group, {
    profile,
    start: traffic.start,
    desired: options.desired,
    forecast: forecastServers(options),
  });
  const fleet = new ModelFleet({
    group,
    servers: controller.desired,
    start: traffic.start,
    boot: profile.boot,
    untilServing: options.appStart + group.healthCheckSeconds,
    spotLossPerMonth: options.spotLossPerMonth,
    spotSweepAt: options.spotSweepAtMinute === undefined ? undefined : traffic.start + options.spotSweepAtMinute * 60,
    random: randomNumbers(options.seed),
  });
  const metrics = new PublishedMetrics(group.detailedMonitoring, Math.floor(options.metricDelay / 60));
  const cpuTarget = cpuTargetOf(group, requestsPerServer);
  const minutes = traffic.requests.length;
  const series = emptySeries(minutes);
  const decisions: Decision[] = [];
  let waiting = 0;
  let mostWaiting = 0;
  let onDemandMinutes = 0;
  let spotMinutes = 0;

  for (let minute = 0; minute < minutes; minute += 1) {
    const now = traffic.start + minute * 60;
    fleet.advance(now);
    const demand = traffic.requests[minute] as number;
    const capacity = Math.floor((fleet.servingSeconds * requestsPerServer) / 60 + 1e-9);
    const served = Math.min(demand + waiting, capacity);
    if (queue) {
      waiting += demand - served;
      mostWaiting = Math.max(mostWaiting, waiting);
    }
    const cpu = capacity === 0 ? (demand > 0 ? 100 : 0) : (served / capacity) * 100;
    const servers = fleet.servingSeconds / 60;
    metrics.publish(metricsOf({ cpu, servers, demand, waiting, fleet, warming: controller.warming, queue }));

    const visible = metrics.visible();
    const end = now + 60;
    for (const decision of controller.step(end, {
      inService: fleet.inService,
      launched: fleet.arrived,
      draining: fleet.draining,
      cpu: visible.cpu,
      requestsPerTarget: visible.requestsPerTarget,
      backlogPerInstance: visible.backlogPerInstance,
    })) {
      decisions.push(decision);
    }
    const { billed } = fleet;
    const onDemand = onDemandOf(billed, group.purchase);
    onDemandMinutes += onDemand;
    spotMinutes += billed - onDemand;
    fleet.setDesired(controller.desired, end, profile.actionDelay);

    series.demand[minute] = demand;
    series.served[minute] = served;
    series.capacity[minute] = capacity;
    series.desired[minute] = controller.desired;
    series.inService[minute] = fleet.inService;
    series.cpu[minute] = cpu;
  }
  const hours = { onDemandHours: onDemandMinutes / 60, spotHours: spotMinutes / 60 };
  const counted = {
    waits: queue,
    waiting,
    mostWaiting,
    cpuTarget,
    spotLost: fleet.spotLost,
    neverHealthy: fleet.neverHealthy,
    ...hours,
  };
  return { series, decisions, summary: summarize(series, decisions, group.maxSize, counted) };
}

/** Counts changes of direction within {@link THRASH_WINDOW}. */
export function countThrash(decisions: readonly Pick<Decision, 'at' | 'from' | 'desired'>[]): number {
  let count = 0;
  for (let i = 1; i < decisions.length; i += 1) {
    const [before, after] = [decisions[i - 1], decisions[i]] as [Decision, Decision];
    const turned = Math.sign(before.desired - before.from) !== Math.sign(after.desired - after.from);
    if (turned && after.at - before.at <= THRASH_WINDOW) count += 1;
  }
  return count;
}

/** CPU target of the policies, or the CPU at the target for requests; 80% without either. */
export function cpuTargetOf(group: ScalingGroup, requestsPerServer: number): number {
  const tracked = group.policies.filter((policy) => policy.kind === 'target tracking');
  const cpu = tracked.find(({ metric }) => metric === 'cpu');
  if (cpu) return cpu.target;
  const requests = tracked.find(({ metric }) => metric === 'requestsPerTarget');
  return requests ? Math.min(100, (requests.target / requestsPerServer) * 100) : 80;
}

/** Converts forecast requests into servers, by the metric of the first predictive policy. */
function forecastServers({ group, expected, requestsPerServer }: SimulationOptions) {
  const policy = group.policies.find(({ kind }) => kind === 'predictive');
  if (!expected || policy?.kind !== 'predictive') return undefined;
  const each = policy.metric === 'cpu' ? (requestsPerServer * policy.target) / 100 : policy.target;
  return (at: number) => {
    const rps = expected(at);
    return rps === undefined ? undefined : Math.ceil((rps * 60) / each - 1e-9);
  };
}

type Metrics = Partial<Record<MetricKind, number>>;

interface Minute {
  readonly cpu: number;
  /** Mean serving servers. */
  readonly servers: number;
  readonly demand: number;
  readonly waiting: number;
  readonly fleet: ModelFleet;
  readonly warming: number;
  readonly queue: boolean;
}

function metricsOf({ cpu, servers, demand, waiting, fleet, warming, queue }: Minute): Metrics {
  const warm = fleet.inService - warming;
  return {
    // Warm servers that do not serve yet are idle.
    cpu: warm > 0 ? (cpu * Math.min(servers, warm)) / warm : undefined,
    requestsPerTarget: !queue && servers > 0 ? demand / servers : undefined,
    backlogPerInstance: queue ? (fleet.inService > 0 ? waiting / fleet.inService : waiting) : undefined,
  };
}

/** Metrics as CloudWatch shows them: delayed, and CPU every five minutes without detailed monitoring. */
class PublishedMetrics {
  private readonly late: Metrics[] = [];
  private readonly fiveMinutes: number[] = [];
  private heldCpu: number | undefined;

  constructor(
    private readonly detailed: boolean,
    private readonly delay: number,
  ) {}

  publish(metrics: Metrics): void {
    this.late.push(this.detailed ? metrics : { ...metrics, cpu: this.held(metrics.cpu) });
  }

  visible(): Metrics {
    return this.late.length > this.delay ? (this.late.shift() as Metrics) : NOTHING;
  }

  /** A five-minute data point applies until the next one. */
  private held(cpu: number | undefined): number | undefined {
    this.fiveMinutes.push(cpu ?? 0);
    if (this.fiveMinutes.length === 5) {
      this.heldCpu = this.fiveMinutes.reduce((sum, one) => sum + one, 0) / 5;
      this.fiveMinutes.length = 0;
    }
    return this.heldCpu;
  }
}

const NOTHING: Metrics = {};

function emptySeries(minutes: number): Series {
  const make = () => new Float64Array(minutes);
  return { demand: make(), served: make(), capacity: make(), desired: make(), inService: make(), cpu: make() };
}

type Counted = Pick<
  Summary,
  'waits' | 'waiting' | 'mostWaiting' | 'cpuTarget' | 'spotLost' | 'neverHealthy' | 'onDemandHours' | 'spotHours'
>;

function summarize(series: Series, decisions: readonly Decision[], maxSize: number, counted: Counted): Summary {
  const minutes = series.demand.length;
  let demand = 0;
  let served = 0;
  let peak = 0;
  let droppingMinutes = 0;
  let minutesAboveTarget = 0;
  let fewest = Number.POSITIVE_INFINITY;
  let most = 0;
  let serverMinutes = 0;
  let minutesAtMax = 0;
  for (let minute = 0; minute < minutes; minute += 1) {
    const wanted = series.demand[minute] as number;
    const got = series.served[minute] as number;
    const servers = series.inService[minute] as number;
    demand += wanted;
    served += got;
    peak = Math.max(peak, wanted);
    if (!counted.waits && got < wanted) droppingMinutes += 1;
    // Tolerance for floating-point error.
    if ((series.cpu[minute] as number) > counted.cpuTarget + 1e-6) minutesAboveTarget += 1;
    fewest = Math.min(fewest, servers);
    most = Math.max(most, servers);
    serverMinutes += servers;
    if ((series.desired[minute] as number) >= maxSize) minutesAtMax += 1;
  }
  return {
    minutes,
    demand,
    served,
    dropped: demand - served - counted.waiting,
    peakRps: peak / 60,
    droppingMinutes,
    minutesAboveTarget,
    fewest,
    most,
    mean: serverMinutes / minutes,
    minutesAtMax,
    changesOut: decisions.filter(({ from, desired }) => desired > from).length,
    changesIn: decisions.filter(({ from, desired }) => desired < from).length,
    thrash: countThrash(decisions),
    ...counted,
  };
}
