import { writeFileSync } from 'node:fs';
import { type AssembledStack, readStacks, synthesize } from '../../cloudformation/assembly';
import type { Template } from '../../cloudformation/template';
import { UsageError } from '../../support/usage-error';
import { membersOf } from '../cost/members';
import { readPriceTable } from '../prices/table';
import { profiles, type ScalingProfile } from '../scaling/profile';
import { readScalingGroup, SCALING_GROUP } from '../scaling/read-scaling-group';
import type { ScalingGroup } from '../scaling/scaling-group';
import { type Assumption, assumptionsOf, round } from '../simulate/assumptions';
import { hourPrices, spotInterruptionShare } from '../simulate/bill';
import { chartOf } from '../simulate/chart';
import { CLASSIC_RULES, DEFAULT_COOLDOWN, hasCooldown, withCooldown, withWarmup } from '../simulate/cooldown';
import { renderReport, reportAsJson } from '../simulate/render';
import { cpuTargetOf, type SimulationOptions, simulate } from '../simulate/simulate';
import {
  isShape,
  type RequestSeries,
  readTraffic,
  recordedAt,
  recordedTraffic,
  shapedTraffic,
  shapes,
} from '../simulate/traffic';

export interface SimulateOptions {
  /** Phase to synthesize, unless `template` is set. */
  readonly phase: string;
  readonly context: readonly string[];
  /** A template file, or a cloud assembly (cdk.out). */
  readonly template?: string;
  /** Stack in that folder; for a nested stack with its parents: `shop/Web`. */
  readonly stack?: string;
  readonly group?: string;
  /** Name of a traffic shape, or a CSV file with time,rps. */
  readonly traffic: string;
  readonly rps?: number;
  readonly days?: number;
  /** Requests/s of one server at 100% CPU. */
  readonly serverRps?: number;
  readonly servers?: number;
  readonly profile: ScalingProfile['name'];
  /** Seconds until a server is in service. */
  readonly boot?: number;
  /** Seconds. */
  readonly appStart?: number;
  /** Seconds. */
  readonly metricDelay?: number;
  /** Seconds. */
  readonly cooldown?: number;
  /** Seconds. */
  readonly warmup?: number;
  /** Spot interruptions per month, in percent of the spot servers. */
  readonly spotLoss?: number;
  /** Minute at which all spot servers are interrupted. */
  readonly spotSweep?: number;
  /** CSV file with time,rps. */
  readonly forecast?: string;
  readonly region: string;
  /** USD. */
  readonly pricePerHour?: number;
  readonly spotPricePerHour?: number;
  readonly seed: number;
  /** SVG file to write. */
  readonly svg?: string;
  readonly json: boolean;
}

const APP_START = 60;
const METRIC_DELAY = 60;
const SPOT_LOSS = 0.05;

/** Runs the command `simulate`. */
export async function simulateCommand(options: SimulateOptions): Promise<void> {
  const prices = readPriceTable(options.region);
  const template = await templateOf(options);
  const read = readScalingGroup(template, { group: options.group });
  const group = options.warmup === undefined ? read : withWarmup(read, options.warmup);
  const serverRps = options.serverRps ?? serverRpsOf(group);
  const traffic = requestSeriesOf(options, group, serverRps);
  const [type] = group.instanceTypes;
  const advised = spotInterruptionShare(type, prices);
  const profile = { ...profiles[options.profile], boot: options.boot ?? profiles[options.profile].boot };
  const expected = options.forecast === undefined ? undefined : readTraffic(options.forecast);
  const simulation: SimulationOptions = {
    group,
    traffic,
    profile,
    requestsPerServer: serverRps * 60,
    appStart: options.appStart ?? APP_START,
    metricDelay: options.metricDelay ?? METRIC_DELAY,
    spotLossPerMonth: options.spotLoss === undefined ? (advised ?? SPOT_LOSS) : options.spotLoss / 100,
    spotSweepAtMinute: options.spotSweep,
    seed: options.seed,
    expected: expected && ((at) => recordedAt(expected, at)),
  };
  const begin = performance.now();
  const runs = variantsOf(group, options.cooldown).map(({ name, group }) => ({
    name,
    group,
    simulation: simulate({
      ...simulation,
      group,
      desired: options.servers ?? initialServers(traffic, group, serverRps),
    }),
  }));
  const seconds = (performance.now() - begin) / 1000;
  const [first] = runs as [(typeof runs)[number]];
  const origin = (value: unknown) => (value === undefined ? 'assumed' : 'given');
  const assumptions = [
    ...substitutePolicies(group, options.cooldown),
    ...assumptionsOf(
      { ...simulation, group: first.group, desired: first.simulation.series.desired[0] },
      {
        servers: origin(options.servers),
        rps: origin(options.rps),
        serverRps: origin(options.serverRps),
        appStart: origin(options.appStart),
        metricDelay: origin(options.metricDelay),
        boot: options.boot === undefined ? profiles[options.profile].bootMark : 'given',
        spotLoss: options.spotLoss === undefined ? spotLossReason(type, advised) : undefined,
      },
    ),
  ];
  const what = options.template ?? `phase ${options.phase}`;
  const hour = hourPrices(type, prices, { onDemand: options.pricePerHour, spot: options.spotPricePerHour });
  const report = { what, group: first.group, traffic, runs, prices: hour, assumptions };
  if (options.svg !== undefined) {
    const named = options.cooldown === undefined ? '' : `, ${first.name}`;
    writeFileSync(
      options.svg,
      chartOf(`${what} under ${traffic.name}${named}`, first.simulation, traffic, first.group),
    );
  }
  console.log(options.json ? reportAsJson(report, seconds) : renderReport(report));
}

async function templateOf({ phase, context, template, stack, region }: SimulateOptions): Promise<Template> {
  if (template === undefined) {
    const stacks = await synthesize({ context });
    return stacks.find(({ id }) => id === `phase-${phase}`)?.template as Template;
  }
  const all = readStacks(template, { option: '--template' }).flatMap((one) => withNested(one, region));
  const scaling = all.filter(({ Resources }) => Object.values(Resources).some(({ Type }) => Type === SCALING_GROUP));
  // Without any group, readScalingGroup reports the error.
  const candidates = scaling.length > 0 ? scaling : all;
  const [found, ...more] = stack === undefined ? candidates : all.filter(({ id }) => id === stack);
  if (found !== undefined && (more.length === 0 || scaling.length === 0)) return found;
  throw new UsageError(`--stack must be one of ${candidates.map(({ id }) => id).join(', ')}, got ${stack ?? 'none'}.`);
}

/** Lists a stack and its nested stacks (`shop/Web`), with parameters resolved. */
function withNested(stack: AssembledStack, region: string): (Template & { readonly id: string })[] {
  return membersOf(stack, { region }).map(({ prefix, template }) => ({
    id: `${stack.id}/${prefix}`.replace(/\/$/, ''),
    Resources: Object.fromEntries(template.resources),
  }));
}

/**
 * Derives the requests/s of one server at 100% CPU from the group's targets for requests and CPU.
 *
 * @throws UsageError when the group does not have both targets
 */
function serverRpsOf(group: ScalingGroup): number {
  const target = (metric: string) =>
    group.policies.flatMap((one) => (one.kind === 'target tracking' && one.metric === metric ? [one.target] : []))[0];
  const requests = target('requestsPerTarget');
  const cpu = target('cpu');
  if (requests !== undefined && cpu !== undefined) return (requests / 60 / cpu) * 100;
  throw new UsageError(
    `--server-rps must be set to a number above 0: ${group.id} does not have targets for both CPU and requests.`,
  );
}

function requestSeriesOf(options: SimulateOptions, group: ScalingGroup, serverRps: number): RequestSeries {
  const { traffic, days, seed } = options;
  if (!isShape(traffic)) {
    if (!traffic.endsWith('.csv')) {
      throw new UsageError(
        `--traffic must be ${Object.keys(shapes).join(', ')} or a CSV file with time,rps, got ${traffic}.`,
      );
    }
    return recordedTraffic(traffic, readTraffic(traffic));
  }
  const atTarget = (serverRps * cpuTargetOf(group, serverRps * 60)) / 100;
  // A surge starts from the minimum size at half its capacity, other shapes from the middle of the range.
  const servers = (shapes[traffic].surges ? group.minSize : group.maxSize) / 2;
  return shapedTraffic(traffic, { rps: options.rps ?? servers * atTarget, days, seed });
}

/** Sizes the initial fleet for the first minute, so that a run does not start with an undersized fleet. */
function initialServers({ requests }: RequestSeries, group: ScalingGroup, serverRps: number): number {
  const each = (serverRps * 60 * cpuTargetOf(group, serverRps * 60)) / 100;
  const needed = Math.ceil((requests[0] ?? 0) / each - 1e-9);
  return Math.min(Math.max(needed, group.desiredCapacity ?? group.minSize), group.maxSize);
}

/** The group as read, or one variant per cooldown: the given and the default. */
function variantsOf(group: ScalingGroup, cooldown: number | undefined) {
  if (cooldown === undefined) return [{ name: 'result', group }];
  return [...new Set([cooldown, DEFAULT_COOLDOWN])].map((seconds) => ({
    name: `cooldown ${seconds} s`,
    group: withCooldown(group, seconds),
  }));
}

function substitutePolicies(group: ScalingGroup, cooldown: number | undefined): Assumption[] {
  if (cooldown === undefined || hasCooldown(group)) return [];
  const text = `The template has no simple scaling policy. Classic rules replace all policies: ${CLASSIC_RULES}.`;
  return [{ mark: 'assumed', text }];
}

function spotLossReason(type: string | undefined, advised: number | undefined): string {
  return advised === undefined
    ? 'no interruption frequency for this type'
    : `${type}: below ${round(advised * 100)}% by the Spot Instance advisor`;
}
