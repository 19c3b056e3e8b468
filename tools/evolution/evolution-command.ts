import { mangleLikeCloudFormation } from '@aws-cdk/cloudformation-diff';
import { phases } from '../../lib/phases/phases';
import { sizes } from '../../lib/phases/sizes';
import { transitionBetween } from '../../lib/phases/transitions';
import { parseTemplate } from '../cloudformation/parse';
import { UsageError } from '../support/usage-error';
import { compare } from './changes';
import { checkGate, type Manifest } from './gate';
import { readManifest } from './manifest-file';
import { manifestFor } from './manifests';
import type { NamedTemplate } from './references';
import { detail, isRed, MARKDOWN, summary, TERMINAL, type TransitionReport, toJson } from './report';
import { readTemplates, synthesizePhases } from './sources';

export interface EvolutionOptions {
  /** Stack ids: none for every transition, the target phase with `against` or `deployed`, or the phases before and after. */
  readonly phases: readonly string[];
  readonly before?: string;
  readonly after?: string;
  readonly against?: string;
  /** Name of a deployed stack. */
  readonly deployed?: string;
  readonly stack?: string;
  /** Manifest file with the allowed removals. */
  readonly allow?: string;
  /** CDK context, `name=value` each. */
  readonly context: readonly string[];
  readonly format: 'text' | 'json' | 'markdown';
}

const BUILT = phases.filter((phase) => phase.built).map(({ id }) => id);

/** Runs the command `evolution`. Returns the exit code: 1 if the gate is red or the requested transition is refused. */
export async function evolution(options: EvolutionOptions): Promise<number> {
  const unknown = options.phases.find((name) => !BUILT.includes(name));
  if (unknown !== undefined) throw new UsageError(`phase must be one of ${BUILT.join(', ')}, got ${unknown}.`);
  const reports = await makeReports(options);
  console.log(render(reports, options));
  const refused = options.phases.length > 0 && reports.some(({ transition }) => transition?.verdict === 'refused');
  return refused || reports.some(isRed) ? 1 : 0;
}

function render(reports: readonly TransitionReport[], { format, phases: named }: EvolutionOptions): string {
  if (format === 'json') return JSON.stringify(toJson(reports), null, 2);
  const style = format === 'markdown' ? MARKDOWN : TERMINAL;
  const [only] = reports;
  if (reports.length === 1 && only) return detail(only, style);
  // Of many transitions, details only for red ones and for each one to the next phase.
  const detailed = reports.filter((report) => isRed(report) || named.length > 0 || isNextPhase(report));
  return [summary(reports, style), '', ...detailed.map((report) => detail(report, style))].join('\n');
}

const isNextPhase = ({ transition }: TransitionReport) =>
  transition !== undefined && transition.to === transition.from + 1;

function makeReports(options: EvolutionOptions): Promise<TransitionReport[]> | TransitionReport[] {
  const { before, after, against, deployed } = options;
  const sources = Object.entries({ before, against, deployed }).flatMap(([name, value]) =>
    value ? [`--${name}`] : [],
  );
  if (sources.length > 1) throw new UsageError(`${sources.join(' and ')} cannot be combined.`);
  if (before !== undefined || after !== undefined) return betweenFiles(options);
  if (against !== undefined) return againstFile(against, options);
  if (deployed !== undefined) return fromDeployed(deployed, options);
  return betweenPhases(options);
}

function betweenFiles({ before, after, stack, allow }: EvolutionOptions): TransitionReport[] {
  if (before === undefined) throw new UsageError('--after requires --before.');
  if (after === undefined) throw new UsageError('--before requires --after.');
  const manifest = allow === undefined ? {} : readManifest(allow);
  return pairs(readTemplates(before, '--before'), readTemplates(after, '--after'), stack).map(([was, is]) =>
    report(`${was.name} -> ${is.name}`, was, is, manifest),
  );
}

/** Pairs stacks of the same name. If each side has a single stack, pairs those regardless of their names. */
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
      `--stack must name a stack in both sources, got ${stack ?? 'none'}. Before: ${names(before)}. After: ${names(after)}.`,
    );
  }
  return found;
}

/** Compares templates deployed elsewhere with the same phase of this project, or with the phase that the user named. */
async function againstFile(against: string, options: EvolutionOptions): Promise<TransitionReport[]> {
  const olds = readTemplates(against, '--against');
  const now = await synthesizePhases({ context: options.context, log: progress(options) });
  const target = targetPhase(options);
  const comparable = olds.filter(({ name }) => olds.length === 1 || now.has(name));
  if (comparable.length === 0) {
    throw new UsageError(
      `--against must contain one of ${BUILT.join(', ')}, got ${olds.map(({ name }) => name).join(', ')}.`,
    );
  }
  return comparable.map((old) => {
    const phase = phaseOf(old);
    const id = target ?? (phase ? `phase-${phase}` : undefined);
    const is = id === undefined ? undefined : now.get(id);
    if (is === undefined) {
      throw new UsageError(
        `--against ${against}: the stack has no output Phase. Name the target phase: ${BUILT.join(', ')}.`,
      );
    }
    return asPhase(phase, old, is);
  });
}

/** Compares a deployed stack with the phase that the user named, or with its own phase and the next one. */
async function fromDeployed(stackName: string, options: EvolutionOptions): Promise<TransitionReport[]> {
  const { readDeployed } = await import('./deployed.js');
  const running = await readDeployed(stackName);
  const now = await synthesizePhases({ context: options.context, log: progress(options) });
  const target = targetPhase(options);
  const { phase } = running;
  const targets = target ? [target] : phase ? [`phase-${phase}`, `phase-${phase + 1}`] : [];
  if (targets.length === 0) {
    throw new UsageError(
      `--deployed ${stackName}: the stack has no output Phase. Name the target phase: ${BUILT.join(', ')}.`,
    );
  }
  return targets.flatMap((id) => {
    const is = now.get(id);
    return is ? [asPhase(phase, running, { ...is, template: asReturnedByCloudFormation(is) })] : [];
  });
}

/** Replaces non-ASCII characters with question marks, as CloudFormation does in the templates that it returns. */
function asReturnedByCloudFormation({ template }: NamedTemplate): NamedTemplate['template'] {
  return parseTemplate(mangleLikeCloudFormation(JSON.stringify(template)));
}

function asPhase(from: number | undefined, was: NamedTemplate, is: NamedTemplate): TransitionReport {
  const to = phaseOf(is);
  const transition = from === undefined || to === undefined ? undefined : transitionBetween(from, to);
  const manifest = transition ? manifestFor(transition.from, transition.to) : {};
  return { ...report(`${was.name} -> ${is.name}`, was, is, manifest), transition };
}

function phaseOf({ template }: NamedTemplate): number | undefined {
  const value = Number(template.Outputs?.Phase?.Value);
  return Number.isInteger(value) ? value : undefined;
}

function targetPhase({ phases: named }: EvolutionOptions): string | undefined {
  if (named.length > 1) throw new UsageError(`phases must be a single target phase, got ${named.join(' ')}.`);
  return named[0];
}

/** Compares the phases of this project. */
async function betweenPhases(options: EvolutionOptions): Promise<TransitionReport[]> {
  const log = progress(options);
  const [from, to] = options.phases;
  if (from !== undefined && to === undefined) {
    throw new UsageError(`phases must be two phases (before and after) or none (every step), got ${from}.`);
  }
  const bySize = new Map<string, ReadonlyMap<string, NamedTemplate>>();
  const names = from === undefined ? Object.keys(sizes) : [undefined];
  for (const size of names) {
    if (size !== undefined) log(`cdk synth -c size=${size}`);
    const context = size === undefined ? options.context : [...options.context, `size=${size}`];
    bySize.set(size ?? '', await synthesizePhases({ context, log }));
  }
  const [smallest] = bySize.values();
  const template = (id: string, templates = smallest) => {
    const found = templates?.get(id);
    if (found === undefined) throw new Error(`cdk synth produced no stack ${id}`);
    return found;
  };
  const between = (a: string, b: string) => asPhase(phaseOf(template(a)), template(a), template(b));
  if (from !== undefined && to !== undefined) return [between(from, to)];

  const forward = BUILT.flatMap((id, i) => BUILT.slice(i + 1).map((next) => between(id, next)));
  const back = BUILT.flatMap((id, i) => BUILT.slice(0, i).map((previous) => between(id, previous)));
  const bigger = BUILT.flatMap((id) =>
    names.slice(1).map((size, i) => {
      const [was, is] = [names[i], size].map((name) => template(id, bySize.get(name ?? '')));
      const title = `${id}: ${names[i]} -> ${size}`;
      return report(title, was as NamedTemplate, is as NamedTemplate, {});
    }),
  );
  return [...forward, ...bigger, ...back];
}

function report(title: string, before: NamedTemplate, after: NamedTemplate, manifest: Manifest): TransitionReport {
  const comparison = compare(before, after);
  return { title, comparison, manifest, findings: checkGate(comparison, manifest) };
}

function progress({ format }: EvolutionOptions): (line: string) => void {
  return format === 'text' ? (line) => line.startsWith('cdk ') && console.error(`  … ${line}`) : () => {};
}
