import { lackedFor } from '../../support/aws-access';
import { UsageError } from '../../support/usage-error';
import { advise, type Watched, type Window } from '../advise/advice';
import { readMetrics } from '../advise/cloudwatch';
import { readRecorded } from '../advise/recorded';
import { adviceAsJson, renderAdvice } from '../advise/render';
import { limitsOf, readStack } from '../advise/stack';
import type { PhaseNumber } from '../advise/walls';
import { type PriceTable, readPriceTable } from '../prices/table';

export interface AdviseOptions {
  readonly stack: string;
  /** Where the stack is. @default the SDK's own: AWS_REGION, or the profile's */
  readonly region?: string;
  /** Length of the window. */
  readonly days: number;
  /** End of the window, ISO 8601. @default now */
  readonly until?: string;
  /** Of a point, in seconds. */
  readonly period: number;
  /** @default the stack's output `Phase` */
  readonly phase?: number;
  /** A file of recorded metrics in place of a stack. */
  readonly from?: string;
  /** With `from`: `db.m7g.large`. */
  readonly databaseClass?: string;
  /** With `from`: `cache.t4g.small`. */
  readonly cacheType?: string;
  /** For the 99th percentile of the app's answers, in milliseconds. @default it is not judged */
  readonly latencyObjective?: number;
  readonly json: boolean;
}

/** Sizes of machines are the same in all regions. */
const MACHINES = 'us-east-1';

/** The verb `advise`. */
export async function adviseCommand(options: AdviseOptions): Promise<void> {
  // The tools run on Node 20 as well, which the SDK will want to be newer some day.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  const machines = readPriceTable(MACHINES);
  const { what, phase, watched, window } =
    options.from === undefined ? await fromStack(options, machines) : fromFile(options, options.from, machines);
  const latencySeconds = options.latencyObjective === undefined ? undefined : options.latencyObjective / 1000;
  const asked = watched.map((one) => ({ ...one, limits: { ...one.limits, latencySeconds } }));
  const given = advise(asked, phase, window);
  const advice = { ...given, notJudged: [...given.notJudged, ...objectiveWithoutEffect(options, watched)] };
  console.log((options.json ? adviceAsJson : renderAdvice)(advice, what, phase, window));
}

/** Why the objective for latency changes nothing, where that is so. */
function objectiveWithoutEffect({ latencyObjective }: AdviseOptions, watched: readonly Watched[]): string[] {
  if (latencyObjective === undefined) return [];
  const latencies = watched.filter(({ wall }) => wall.id === 'balancer.latency');
  if (latencies.some(({ points }) => points.length > 0)) return [];
  const why = latencies.length > 0 ? 'has published none' : 'there is none in phases 1 and 2';
  return [`--latency-objective ${latencyObjective}: the time of answers is measured by the balancer, and ${why}`];
}

interface Read {
  readonly what: string;
  readonly phase: PhaseNumber;
  readonly watched: readonly Watched[];
  readonly window: Window;
}

async function fromStack(options: AdviseOptions, machines: PriceTable): Promise<Read> {
  const { stack, region, period } = options;
  const end = options.until === undefined ? Date.now() / 1000 : Date.parse(options.until) / 1000;
  if (Number.isNaN(end)) throw new UsageError(`--until ${options.until}: allowed is a time such as 2026-11-27T12:00Z`);
  // CloudWatch rounds its points to whole periods anyway.
  const window = { end: Math.floor(end / period) * period, start: 0, period };
  const found = await readStack(stack, region, machines).catch(explain);
  const phase = (options.phase as PhaseNumber | undefined) ?? found.phase;
  if (phase === undefined) {
    throw new UsageError(`--phase: stack ${stack} has no output "Phase" to tell it; allowed is 1, 2, 3, 4, 5`);
  }
  const whole = { ...window, start: window.end - options.days * 86_400 };
  return { what: `Stack ${stack}`, phase, watched: await readMetrics(found.resources, whole, region), window: whole };
}

/** What the SDK says of an account that it cannot reach, in the words of this command line. */
function explain(error: Error): never {
  const lacked = lackedFor(error);
  if (lacked === 'region') {
    throw new UsageError('--region: none is given, and neither AWS_REGION nor a profile names one');
  }
  if (lacked === 'credentials') {
    throw new UsageError('No AWS credentials; allowed is what the AWS CLI takes (AWS_PROFILE, …), or --from FILE');
  }
  throw error;
}

function fromFile(options: AdviseOptions, file: string, machines: PriceTable): Read {
  if (options.phase === undefined) {
    throw new UsageError('--phase: a file of metrics does not tell it; allowed is 1, 2, 3, 4, 5');
  }
  const database = limitsOf(options.databaseClass, machines);
  for (const [name, type, limits] of [
    ['--database-class', options.databaseClass, database],
    ['--cache-type', options.cacheType, limitsOf(options.cacheType, machines)],
  ] as const) {
    if (type !== undefined && limits.vcpus === undefined) {
      throw new UsageError(
        `${name} ${type}: its size is not known; allowed are types of tools/planner/prices/data/machines.csv`,
      );
    }
  }
  const limits = { database, replicas: database, cache: limitsOf(options.cacheType, machines) };
  return { what: file, phase: options.phase as PhaseNumber, ...readRecorded(file, limits) };
}
