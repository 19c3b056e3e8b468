import { existsSync, readFileSync } from 'node:fs';
import { type AssembledStack, synthesize } from '../../cloudformation/assembly';
import { UsageError } from '../../support/usage-error';
import { billOf } from '../cost/bill';
import { renderBill } from '../cost/render';
import { type Demand, WORK } from '../plan/demand';
import demand from '../plan/demand.json';
import type { PhasePlan, Plan } from '../plan/phase-plan';
import { capacityOf, planFor } from '../plan/plan';
import { renderPlan } from '../plan/render';
import { scaledTemplate } from '../plan/scaled-template';
import { type MeasuredUsl, PLAN_DEFAULTS, type PlanInput } from '../plan/workload';
import { type PriceTable, readPriceTable } from '../prices/table';
import { type TrafficOptions, trafficOf } from './cost-command';

export interface PlanOptions extends TrafficOptions {
  readonly rps: number;
  readonly cacheHitRatio?: number;
  readonly utilization?: number;
  readonly jobSeconds?: number;
  readonly survive: PlanInput['survive'];
  /** File with a measured scalability law, the output of `bench -- farm --json`. */
  readonly usl?: string;
  /** File with a measured service demand, the output of `bench -- demand --json`. */
  readonly demand?: string;
  readonly region: string;
  readonly json?: boolean;
}

/** Runs the command `plan`. Returns the exit code: 1 when no phase is sufficient. */
export async function plan(options: PlanOptions): Promise<number> {
  const prices = readPriceTable(options.region);
  const input = inputOf(options);
  const { region } = options;
  const templates = byId(await synthesize({ region }));
  const { chosen: estimated, phases } = planFor(input, templates, prices);
  const capacityRps = estimated && capacityOf(estimated, input, templates, prices);
  const chosen = estimated && { ...estimated, bill: await billAsDeployed(estimated, input, prices) };
  const made: Plan = { chosen, phases: phases.map((one) => (one === estimated && chosen ? chosen : one)) };
  if (options.json) console.log(JSON.stringify({ input, capacityRps, ...made }, null, 2));
  else
    console.log(
      [renderPlan(made, input, capacityRps), ...(chosen ? [renderBill(chosen.phase, chosen.bill)] : [])].join('\n\n'),
    );
  return chosen ? 0 : 1;
}

/** Bills the phase synthesized with the plan's context, and with the database class, for which there is no `-c`. */
async function billAsDeployed(plan: PhasePlan, { traffic }: PlanInput, prices: PriceTable) {
  const stack = byId(await synthesize({ context: plan.context, region: prices.region })).get(
    plan.phase,
  ) as AssembledStack;
  const template = scaledTemplate(stack.template, { databaseClass: plan.database?.class });
  return billOf([{ ...stack, template }], { prices, traffic, instances: plan.instances });
}

function byId(stacks: readonly AssembledStack[]): Map<string, AssembledStack> {
  return new Map(stacks.map((stack) => [stack.id, stack]));
}

function inputOf(options: PlanOptions): PlanInput {
  const value = (name: keyof typeof PLAN_DEFAULTS) => options[name] ?? PLAN_DEFAULTS[name].value;
  const traffic = trafficOf(options);
  if (!traffic) throw new UsageError('--rps must be a number above 0.');
  return {
    traffic,
    cacheHitRatio: value('cacheHitRatio'),
    utilization: value('utilization'),
    jobSeconds: value('jobSeconds'),
    survive: options.survive,
    demand: options.demand === undefined ? demand : readDemand(options.demand),
    ...(options.usl === undefined ? {} : { usl: readUsl(options.usl) }),
  };
}

function readUsl(file: string): MeasuredUsl {
  const usl = (readJson('--usl', file) as { usl?: MeasuredUsl })?.usl;
  const { lambda = Number.NaN, sigma = Number.NaN, kappa = Number.NaN, vcpus } = usl ?? {};
  const valid = lambda > 0 && sigma >= 0 && sigma < 1 && kappa >= 0 && (vcpus === undefined || vcpus > 0);
  if (!usl || !valid) {
    throw new UsageError(
      `--usl must be a file with {"usl":{"lambda":above 0,"sigma":0 to below 1,"kappa":0 or more}} and optional "vcpus" per server, got ${file}.`,
    );
  }
  return usl;
}

function readDemand(file: string): Demand {
  const found = readJson('--demand', file) as Demand;
  const values = [...WORK.flatMap((work) => [found?.server?.[work], found?.database?.[work]]), found?.processMib];
  if (!values.every((value) => typeof value === 'number' && value >= 0)) {
    throw new UsageError(`--demand must be a file with the output of "npm run bench -- demand --json", got ${file}.`);
  }
  return found;
}

function readJson(option: string, file: string): unknown {
  if (!existsSync(file)) throw new UsageError(`${option} must be an existing file, got ${file}.`);
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    throw new UsageError(`${option} must be a JSON file, got ${file}.`);
  }
}
