import { missingAwsSetting } from '../../support/aws-access';
import { UsageError } from '../../support/usage-error';
import { advise, type Watched, type Window } from '../advise/advice';
import { readMetrics } from '../advise/cloudwatch';
import type { PhaseNumber } from '../advise/limits';
import { readRecorded } from '../advise/recorded';
import { adviceAsJson, renderAdvice } from '../advise/render';
import { readStack, specOf } from '../advise/stack';
import { type PriceTable, readPriceTable } from '../prices/table';

export interface AdviseOptions {
  readonly stack: string;
  /** Region of the stack. @default AWS_REGION, or the profile's region */
  readonly region?: string;
  /** Length of the window in days. */
  readonly days: number;
  /** End of the window, ISO 8601. @default now */
  readonly until?: string;
  /** Period of a data point, in seconds. */
  readonly period: number;
  /** @default the stack's output `Phase` */
  readonly phase?: number;
  /** File of recorded metrics to read instead of a stack. */
  readonly from?: string;
  /** With `from`: instance class such as `db.m7g.large`. */
  readonly databaseClass?: string;
  /** With `from`: node type such as `cache.t4g.small`. */
  readonly cacheType?: string;
  /** Objective for the p99 response time, in milliseconds. @default - not checked */
  readonly latencyObjective?: number;
  readonly json: boolean;
}

/** Instance sizes are the same in all regions. */
const MACHINES_REGION = 'us-east-1';

/** Runs the command `advise`. */
export async function adviseCommand(options: AdviseOptions): Promise<void> {
  // The tools support Node 20, for which the SDK prints a deprecation warning.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  const machines = readPriceTable(MACHINES_REGION);
  const { what, phase, watched, window } =
    options.from === undefined ? await fromStack(options, machines) : fromFile(options, options.from, machines);
  const latencySeconds = options.latencyObjective === undefined ? undefined : options.latencyObjective / 1000;
  const withObjective = watched.map((one) => ({ ...one, spec: { ...one.spec, latencySeconds } }));
  const given = advise(withObjective, phase, window);
  const advice = { ...given, notJudged: [...given.notJudged, ...objectiveWithoutEffect(options, watched)] };
  console.log((options.json ? adviceAsJson : renderAdvice)(advice, what, phase, window));
}

/** Explains why the latency objective has no effect, if so. */
function objectiveWithoutEffect({ latencyObjective }: AdviseOptions, watched: readonly Watched[]): string[] {
  if (latencyObjective === undefined) return [];
  const latencies = watched.filter(({ limit }) => limit.id === 'balancer.latency');
  if (latencies.some(({ points }) => points.length > 0)) return [];
  const why =
    latencies.length > 0
      ? 'the load balancer has published no response times'
      : 'phases 1 and 2 have no load balancer to measure response times';
  return [`--latency-objective ${latencyObjective}: ${why}`];
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
  if (Number.isNaN(end))
    throw new UsageError(`--until must be a time such as 2026-11-27T12:00Z, got ${options.until}.`);
  // CloudWatch aligns data points to whole periods.
  const window = { end: Math.floor(end / period) * period, start: 0, period };
  const found = await readStack(stack, region, machines).catch(explain);
  const phase = (options.phase as PhaseNumber | undefined) ?? found.phase;
  if (phase === undefined) {
    throw new UsageError(`Stack ${stack} has no output "Phase": pass --phase (1, 2, 3, 4 or 5).`);
  }
  const whole = { ...window, start: window.end - options.days * 86_400 };
  return { what: `Stack ${stack}`, phase, watched: await readMetrics(found.resources, whole, region), window: whole };
}

/** Converts SDK configuration errors to usage errors. */
function explain(error: Error): never {
  const lacked = missingAwsSetting(error);
  if (lacked === 'region') {
    throw new UsageError('No region set: pass --region or set AWS_REGION.');
  }
  if (lacked === 'credentials') {
    throw new UsageError(
      'No AWS credentials: configure them as for the AWS CLI (AWS_PROFILE, …), or pass --from FILE.',
    );
  }
  throw error;
}

function fromFile(options: AdviseOptions, file: string, machines: PriceTable): Read {
  if (options.phase === undefined) {
    throw new UsageError('--from needs --phase (1, 2, 3, 4 or 5): a file of metrics does not contain it.');
  }
  const database = specOf(options.databaseClass, machines);
  for (const [name, type, spec] of [
    ['--database-class', options.databaseClass, database],
    ['--cache-type', options.cacheType, specOf(options.cacheType, machines)],
  ] as const) {
    if (type !== undefined && spec.vcpus === undefined) {
      throw new UsageError(`${name} must be a type of tools/planner/prices/data/machines.csv, got ${type}.`);
    }
  }
  const specs = { database, replicas: database, cache: specOf(options.cacheType, machines) };
  return { what: file, phase: options.phase as PhaseNumber, ...readRecorded(file, specs) };
}
