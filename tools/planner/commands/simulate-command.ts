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
  /** Phase of the project whose template is read, unless `template` names another. */
  readonly phase: string;
  readonly context: readonly string[];
  /** A template file, or a folder that `cdk synth` wrote. */
  readonly template?: string;
  /** The stack of the folder that is meant; of nested ones with those around it, `shop/Web`. */
  readonly stack?: string;
  readonly group?: string;
  /** A shape's name, or a CSV file with time,rps. */
  readonly traffic: string;
  readonly rps?: number;
  readonly days?: number;
  /** Requests a second of one server at 100% CPU. */
  readonly serverRps?: number;
  readonly servers?: number;
  readonly profile: ScalingProfile['name'];
  /** In seconds, like the ones below. */
  readonly boot?: number;
  readonly appStart?: number;
  readonly metricDelay?: number;
  readonly cooldown?: number;
  readonly warmup?: number;
  /** Percent of spot servers taken back a month. */
  readonly spotLoss?: number;
  /** Minute at which all of them are taken back. */
  readonly spotSweep?: number;
  /** CSV file with time,rps. */
  readonly forecast?: string;
  readonly region: string;
  /** In US dollars. */
  readonly pricePerHour?: number;
  readonly spotPricePerHour?: number;
  readonly seed: number;
  /** File for the chart. */
  readonly svg?: string;
  readonly json: boolean;
}

const APP_START = 60;
const METRIC_DELAY = 60;
const SPOT_LOSS = 0.05;

/** The verb `simulate`. */
export async function simulateCommand(options: SimulateOptions): Promise<void> {
  const prices = readPriceTable(options.region);
  const template = await templateOf(options);
  const read = readScalingGroup(template, { group: options.group });
  const group = options.warmup === undefined ? read : withWarmup(read, options.warmup);
  const serverRps = options.serverRps ?? serverRpsOf(group);
  const traffic = trafficOf(options, group, serverRps);
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
    simulation: simulate({ ...simulation, group, desired: options.servers ?? serversFor(traffic, group, serverRps) }),
  }));
  const seconds = (performance.now() - begin) / 1000;
  const [first] = runs as [(typeof runs)[number]];
  const origin = (value: unknown) => (value === undefined ? 'assumed' : 'given');
  const assumptions = [
    ...rulesThatStandIn(group, options.cooldown),
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
  // Where nothing scales, whoever reads the group says so.
  const meant = scaling.length > 0 ? scaling : all;
  const [found, ...more] = stack === undefined ? meant : all.filter(({ id }) => id === stack);
  if (found !== undefined && (more.length === 0 || scaling.length === 0)) return found;
  throw new UsageError(`--stack ${stack ?? '(none)'}: allowed is ${meant.map(({ id }) => id).join(', ')}`);
}

/** A stack, and by `shop/Web` those nested in it, each with what is handed down to it. */
function withNested(stack: AssembledStack, region: string): (Template & { readonly id: string })[] {
  return membersOf(stack, { region }).map(({ prefix, template }) => ({
    id: `${stack.id}/${prefix}`.replace(/\/$/, ''),
    Resources: Object.fromEntries(template.resources),
  }));
}

/**
 * What one server does at 100% CPU, as the group's own targets have it: so many requests a minute at so much CPU.
 *
 * @throws UsageError when they do not say
 */
function serverRpsOf(group: ScalingGroup): number {
  const target = (metric: string) =>
    group.policies.flatMap((one) => (one.kind === 'target tracking' && one.metric === metric ? [one.target] : []))[0];
  const requests = target('requestsPerTarget');
  const cpu = target('cpu');
  if (requests !== undefined && cpu !== undefined) return (requests / 60 / cpu) * 100;
  throw new UsageError(
    `--server-rps: ${group.id} has no targets for both CPU and requests to derive it from; allowed is a number above 0`,
  );
}

function trafficOf(options: SimulateOptions, group: ScalingGroup, serverRps: number): RequestSeries {
  const { traffic, days, seed } = options;
  if (!isShape(traffic)) {
    if (!traffic.endsWith('.csv')) {
      throw new UsageError(
        `--traffic ${traffic}: allowed is ${Object.keys(shapes).join(', ')} or a CSV file with time,rps`,
      );
    }
    return recordedTraffic(traffic, readTraffic(traffic));
  }
  const atTarget = (serverRps * cpuTargetOf(group, serverRps * 60)) / 100;
  // A surge comes upon the smallest fleet with time on its hands; otherwise there is room on both sides.
  const servers = (shapes[traffic].surges ? group.minSize : group.maxSize) / 2;
  return shapedTraffic(traffic, { rps: options.rps ?? servers * atTarget, days, seed });
}

/** As many as the first minute needs, so that a run does not begin with a fleet that is far too small. */
function serversFor({ requests }: RequestSeries, group: ScalingGroup, serverRps: number): number {
  const each = (serverRps * 60 * cpuTargetOf(group, serverRps * 60)) / 100;
  const needed = Math.ceil((requests[0] ?? 0) / each - 1e-9);
  return Math.min(Math.max(needed, group.desiredCapacity ?? group.minSize), group.maxSize);
}

/** What was asked for; next to another cool-down also the usual one. */
function variantsOf(group: ScalingGroup, cooldown: number | undefined) {
  if (cooldown === undefined) return [{ name: 'result', group }];
  return [...new Set([cooldown, DEFAULT_COOLDOWN])].map((seconds) => ({
    name: `cool-down ${seconds} s`,
    group: withCooldown(group, seconds),
  }));
}

function rulesThatStandIn(group: ScalingGroup, cooldown: number | undefined): Assumption[] {
  if (cooldown === undefined || hasCooldown(group)) return [];
  const text = `No policy of the template has a cool-down; the classic rules stand in for all of them: ${CLASSIC_RULES}.`;
  return [{ mark: 'assumed', text }];
}

function spotLossReason(type: string | undefined, advised: number | undefined): string {
  return advised === undefined
    ? 'nothing is known of this type'
    : `${type}: below ${round(advised * 100)}% by the spot advisor`;
}
