import { readStacks, STACK_SOURCES, synthesize } from '../../cloudformation/assembly';
import { UsageError } from '../../support/usage-error';
import { type Bill, type BilledStack, billOf } from '../cost/bill';
import { billAsMarkdown, comparisonAsMarkdown, money, renderBill, renderComparison } from '../cost/render';
import { type ExpectedTraffic, TRAFFIC_DEFAULTS } from '../cost/usage';
import { readPriceTable } from '../prices/table';

/** Traffic options of the command line. Unset options have defaults. */
export type TrafficOptions = { readonly rps?: number } & Partial<Omit<ExpectedTraffic, 'rps'>>;

export interface CostOptions extends TrafficOptions {
  /** `phase-N`, a template file, or a cloud assembly (cdk.out). */
  readonly what: string;
  /** Another source to compare with. */
  readonly against?: string;
  /** Stack in that folder. @default all */
  readonly stack?: string;
  /** CDK context for phases, as `name=value`. */
  readonly context?: readonly string[];
  /** Template parameters, as `Name=value`. */
  readonly parameter?: readonly string[];
  /** Sizes of Auto Scaling groups, as `Name=number`. */
  readonly instances?: readonly string[];
  /** USD per month. */
  readonly budget?: number;
  readonly region: string;
  readonly json?: boolean;
  readonly markdown?: boolean;
}

/** Runs the command `cost`. Returns the exit code: 1 when the bill exceeds the budget. */
export async function cost(options: CostOptions): Promise<number> {
  const prices = readPriceTable(options.region);
  const parameters = Object.fromEntries((options.parameter ?? []).map((pair) => nameAndValue('--parameter', pair)));
  const instances = Object.fromEntries(
    (options.instances ?? []).map((pair) => {
      const [name, value] = nameAndValue('--instances', pair);
      if (!/^\d{1,5}$/.test(value)) {
        throw new UsageError(`--instances must be name=number with an integer from 0 to 99999, got ${pair}.`);
      }
      return [name, Number(value)];
    }),
  );
  const billFor = async (what: string) =>
    billOf(await loadStacks(what, options), { prices, traffic: trafficOf(options), parameters, instances });
  const bill = await billFor(options.what);
  const other = options.against === undefined ? undefined : await billFor(options.against);

  console.log(render(options, bill, other));
  if (options.budget === undefined) return 0;
  const over = bill.totalUsd - options.budget;
  const caution = bill.usageUsd === undefined ? ' without usage charges' : '';
  const verdict = over > 0 ? `${money(over)} above` : `${money(-over)} below`;
  console.error(`${money(bill.totalUsd)} a month${caution}: ${verdict} the budget of ${money(options.budget)}`);
  return over > 0 ? 1 : 0;
}

/** Applies the traffic defaults; undefined without `rps`. */
export function trafficOf({ rps, ...given }: TrafficOptions): ExpectedTraffic | undefined {
  if (rps === undefined) return undefined;
  const value = (name: keyof typeof TRAFFIC_DEFAULTS) => given[name] ?? TRAFFIC_DEFAULTS[name].value;
  return {
    rps,
    peakToAverage: value('peakToAverage'),
    responseBytes: value('responseBytes'),
    edgeHitRatio: value('edgeHitRatio'),
    writeRatio: value('writeRatio'),
    dataGib: value('dataGib'),
  };
}

function render(options: CostOptions, bill: Bill, other: Bill | undefined): string {
  const { what, against = '' } = options;
  if (options.json) return JSON.stringify(other ? { bill, against: other } : bill, null, 2);
  if (options.markdown) {
    const compared = other ? [`## Compared with ${against}`, comparisonAsMarkdown(what, bill, against, other)] : [];
    return [billAsMarkdown(what, bill), ...compared].join('\n\n');
  }
  const compared = other ? [`Compared with ${against}:`, renderComparison(what, bill, against, other)] : [];
  return [renderBill(what, bill), ...compared].join('\n\n');
}

const PHASE = /^phase-\d+$/;

async function loadStacks(what: string, options: CostOptions): Promise<BilledStack[]> {
  return PHASE.test(what) ? phaseStacks(what, options) : stacksIn(what, options.stack);
}

async function phaseStacks(id: string, { context, region }: CostOptions): Promise<BilledStack[]> {
  const stacks = await synthesize({ context, region });
  const found = stacks.find((stack) => stack.id === id);
  if (!found) {
    const ids = stacks.map((stack) => stack.id).filter((one) => PHASE.test(one));
    throw new UsageError(`what must be ${ids.join(', ')}, ${STACK_SOURCES}, got ${id}.`);
  }
  return [...stacks.filter((stack) => found.dependencies.includes(stack.id)), found];
}

function stacksIn(path: string, id: string | undefined): BilledStack[] {
  const stacks = readStacks(path, { option: 'what', allowed: `phase-N, ${STACK_SOURCES}` });
  const ids = stacks.map((stack) => stack.id).join(', ');
  if (id !== undefined) {
    const found = stacks.filter((stack) => stack.id === id);
    if (found.length === 0) throw new UsageError(`--stack must be one of ${ids}, got ${id}.`);
    return found;
  }
  if (new Set(stacks.map(({ stackName }) => stackName)).size < stacks.length) {
    throw new UsageError(`${path} has several stacks with the same name. Choose one with --stack: ${ids}.`);
  }
  return stacks;
}

function nameAndValue(option: string, pair: string): [string, string] {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(pair) ?? [];
  if (name === undefined || value === undefined) throw new UsageError(`${option} must be name=value, got ${pair}.`);
  return [name, value];
}
