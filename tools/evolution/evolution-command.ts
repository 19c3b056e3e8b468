import { mangleLikeCloudFormation } from '@aws-cdk/cloudformation-diff';
import { phases } from '../../lib/phases/phases';
import { sizes } from '../../lib/phases/sizes';
import { stepBetween } from '../../lib/phases/steps';
import { parseTemplate } from '../cloudformation/parse';
import { UsageError } from '../support/usage-error';
import { compare } from './changes';
import { checkGate, type Manifest } from './gate';
import { readManifest } from './manifest-file';
import { manifestFor } from './manifests';
import { detail, isRed, MARKDOWN, type StepReport, summary, TERMINAL, toJson } from './report';
import { readTemplates, synthesizePhases } from './sources';
import type { NamedTemplate } from './template';

export interface EvolutionOptions {
  /** Ids of stacks: none, the phase that is deployed, or the phase before and the phase after. */
  readonly phases: readonly string[];
  readonly before?: string;
  readonly after?: string;
  readonly against?: string;
  /** Name of the stack that runs. */
  readonly deployed?: string;
  readonly stack?: string;
  /** File that says what may leave. */
  readonly allow?: string;
  /** CDK context, `name=value` each. */
  readonly context: readonly string[];
  readonly format: 'text' | 'json' | 'markdown';
}

const BUILT = phases.filter((phase) => phase.built).map(({ id }) => id);

/** The verb `evolution`. Returns the exit code: 1 when the gate is red, or a step that is asked for by name is refused. */
export async function evolution(options: EvolutionOptions): Promise<number> {
  const unknown = options.phases.find((name) => !BUILT.includes(name));
  if (unknown !== undefined) throw new UsageError(`${unknown}: allowed is ${BUILT.join(', ')}`);
  const reports = await makeReports(options);
  console.log(render(reports, options));
  const refused = options.phases.length > 0 && reports.some(({ step }) => step?.verdict === 'refused');
  return refused || reports.some(isRed) ? 1 : 0;
}

function render(reports: readonly StepReport[], { format, phases: named }: EvolutionOptions): string {
  if (format === 'json') return JSON.stringify(toJson(reports), null, 2);
  const style = format === 'markdown' ? MARKDOWN : TERMINAL;
  const [only] = reports;
  if (reports.length === 1 && only) return detail(only, style);
  // Of many steps, those in full that are red, or that lead to the next phase.
  const inFull = reports.filter((report) => isRed(report) || named.length > 0 || leadsOn(report));
  return [summary(reports, style), '', ...inFull.map((report) => detail(report, style))].join('\n');
}

const leadsOn = ({ step }: StepReport) => step !== undefined && step.to === step.from + 1;

function makeReports(options: EvolutionOptions): Promise<StepReport[]> | StepReport[] {
  const { before, after, against, deployed } = options;
  const given = Object.entries({ before, against, deployed }).flatMap(([name, value]) => (value ? [`--${name}`] : []));
  if (given.length > 1) throw new UsageError(`${given.join(', ')}: allowed is one of them`);
  if (before !== undefined || after !== undefined) return betweenFiles(options);
  if (against !== undefined) return againstFile(against, options);
  if (deployed !== undefined) return fromDeployed(deployed, options);
  return betweenPhases(options);
}

function betweenFiles({ before, after, stack, allow }: EvolutionOptions): StepReport[] {
  if (before === undefined) throw new UsageError(`--after ${after}: needs --before as well`);
  if (after === undefined) throw new UsageError(`--before ${before}: needs --after as well`);
  const manifest = allow === undefined ? {} : readManifest(allow);
  return pairs(readTemplates(before, '--before'), readTemplates(after, '--after'), stack).map(([was, is]) =>
    report(`${was.name} -> ${is.name}`, was, is, manifest),
  );
}

/** Stacks of the same name; or the only ones that there are, whatever they are called. */
function pairs(
  before: readonly NamedTemplate[],
  after: readonly NamedTemplate[],
  stack: string | undefined,
): [NamedTemplate, NamedTemplate][] {
  const pick = (all: readonly NamedTemplate[]) =>
    stack === undefined || all.length === 1 ? all : all.filter(({ name }) => name === stack);
  const [were, are] = [pick(before), pick(after)];
  const [was, is] = [were[0], are[0]];
  if (were.length === 1 && are.length === 1 && was && is) return [[was, is]];
  const found = were.flatMap((one): [NamedTemplate, NamedTemplate][] => {
    const same = are.find(({ name }) => name === one.name);
    return same ? [[one, same]] : [];
  });
  if (found.length === 0) {
    const names = (all: readonly NamedTemplate[]) => all.map(({ name }) => name).join(', ');
    throw new UsageError(
      `--stack ${stack ?? '(none)'}: no stack is in both; allowed is one of ${names(before)} with one of ${names(after)}`,
    );
  }
  return found;
}

/** What is deployed elsewhere, as each phase of now that it is, or as the one that is asked for. */
async function againstFile(against: string, options: EvolutionOptions): Promise<StepReport[]> {
  const olds = readTemplates(against, '--against');
  const now = await synthesizePhases({ context: options.context, say: progress(options) });
  const asked = askedFor(options);
  const comparable = olds.filter(({ name }) => olds.length === 1 || now.has(name));
  if (comparable.length === 0) {
    throw new UsageError(
      `--against ${against}: has ${olds.map(({ name }) => name).join(', ')}; allowed is ${BUILT.join(', ')}`,
    );
  }
  return comparable.map((old) => {
    const phase = phaseOf(old);
    const id = asked ?? (phase ? `phase-${phase}` : undefined);
    const is = id === undefined ? undefined : now.get(id);
    if (is === undefined) {
      throw new UsageError(`--against ${against}: has no output Phase; say which phase it becomes: phase-1 to phase-4`);
    }
    return asPhase(phase, old, is);
  });
}

/** A running stack as the phase that is asked for; or as the one that it is, and the next. */
async function fromDeployed(stackName: string, options: EvolutionOptions): Promise<StepReport[]> {
  const { readDeployed } = await import('./deployed.js');
  const running = await readDeployed(stackName);
  const now = await synthesizePhases({ context: options.context, say: progress(options) });
  const asked = askedFor(options);
  const { phase } = running;
  const targets = asked ? [asked] : phase ? [`phase-${phase}`, `phase-${phase + 1}`] : [];
  if (targets.length === 0) {
    throw new UsageError(
      `--deployed ${stackName}: has no output Phase; say which phase it becomes: phase-1 to phase-4`,
    );
  }
  return targets.flatMap((id) => {
    const is = now.get(id);
    return is ? [asPhase(phase, running, { ...is, template: asCloudFormationTellsIt(is) })] : [];
  });
}

/** CloudFormation gives a template back with a question mark for each character that is not in ASCII. */
function asCloudFormationTellsIt({ template }: NamedTemplate): NamedTemplate['template'] {
  return parseTemplate(mangleLikeCloudFormation(JSON.stringify(template)));
}

function asPhase(from: number | undefined, was: NamedTemplate, is: NamedTemplate): StepReport {
  const to = phaseOf(is);
  const step = from === undefined || to === undefined ? undefined : stepBetween(from, to);
  const made = report(`${was.name} -> ${is.name}`, was, is, step ? manifestFor(step.from, step.to) : {});
  return { ...made, step };
}

function phaseOf({ template }: NamedTemplate): number | undefined {
  const value = Number(template.Outputs?.Phase?.Value);
  return Number.isInteger(value) ? value : undefined;
}

function askedFor({ phases: named }: EvolutionOptions): string | undefined {
  if (named.length > 1) throw new UsageError(`${named.join(' ')}: allowed is one phase, the one that is deployed`);
  return named[0];
}

/** The steps between the phases of this project. */
async function betweenPhases(options: EvolutionOptions): Promise<StepReport[]> {
  const say = progress(options);
  const [from, to] = options.phases;
  if (from !== undefined && to === undefined) {
    throw new UsageError(`${from}: allowed are two phases, the one before and the one after, or none for every step`);
  }
  const ofSize = new Map<string, ReadonlyMap<string, NamedTemplate>>();
  const names = from === undefined ? Object.keys(sizes) : [undefined];
  for (const size of names) {
    if (size !== undefined) say(`cdk synth -c size=${size}`);
    const context = size === undefined ? options.context : [...options.context, `size=${size}`];
    ofSize.set(size ?? '', await synthesizePhases({ context, say }));
  }
  const [smallest] = ofSize.values();
  const template = (id: string, templates = smallest) => {
    const found = templates?.get(id);
    if (found === undefined) throw new Error(`cdk synth left no ${id} behind`);
    return found;
  };
  const between = (a: string, b: string) => asPhase(phaseOf(template(a)), template(a), template(b));
  if (from !== undefined && to !== undefined) return [between(from, to)];

  const forward = BUILT.flatMap((id, i) => BUILT.slice(i + 1).map((next) => between(id, next)));
  const back = BUILT.flatMap((id, i) => BUILT.slice(0, i).map((previous) => between(id, previous)));
  const bigger = BUILT.flatMap((id) =>
    names.slice(1).map((size, i) => {
      const [was, is] = [names[i], size].map((name) => template(id, ofSize.get(name ?? '')));
      const title = `${id}: ${names[i]} -> ${size}`;
      return report(title, was as NamedTemplate, is as NamedTemplate, {});
    }),
  );
  return [...forward, ...bigger, ...back];
}

function report(title: string, before: NamedTemplate, after: NamedTemplate, manifest: Manifest): StepReport {
  const comparison = compare(before, after);
  return { title, comparison, manifest, findings: checkGate(comparison, manifest) };
}

function progress({ format }: EvolutionOptions): (line: string) => void {
  return format === 'text' ? (line) => line.startsWith('cdk ') && console.error(`  … ${line}`) : () => {};
}
