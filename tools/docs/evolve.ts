import { phases } from '../../lib/phases/phases';
import { transitionBetween } from '../../lib/phases/transitions';
import { compare } from '../evolution/changes';
import { checkGate, type Manifest } from '../evolution/gate';
import { manifestFor } from '../evolution/manifests';
import type { NamedTemplate } from '../evolution/references';
import { changeTable, MARKDOWN, summary, type TransitionReport } from '../evolution/report';
import { markdownTable } from '../support/table';
import { type PhaseBills, phaseBills, REGION } from './costs';
import type { GeneratedSections } from './generate';

/** Templates that the page compares. */
export interface EvolveTemplates {
  /** Default template of each phase, by phase number. */
  readonly phases: ReadonlyMap<number, NamedTemplate>;
  /** Phase 1 with the size `growth`. */
  readonly growth: NamedTemplate;
}

/** The generated sections of `docs/evolve.md`. */
export function evolveSections(templates: EvolveTemplates): GeneratedSections {
  const template = (phase: number) => {
    const found = templates.phases.get(phase);
    if (found === undefined) throw new Error(`no template for phase ${phase}`);
    return found;
  };
  const transition = (from: number, to: number) =>
    reportOf(`${from} → ${to}`, template(from), template(to), manifestFor(from, to), transitionBetween(from, to));
  const built = phases.filter((phase) => phase.built).map(({ number }) => number);
  const forward = built.flatMap((from) => built.filter((to) => to > from).map((to) => transition(from, to)));
  const back = built.flatMap((from) => built.filter((to) => to < from).map((to) => transition(from, to)));
  const size = reportOf('launch → growth', template(1), templates.growth, {});
  return {
    steps: () => summary([...forward, ...back], MARKDOWN),
    cost: () => costs(phaseBills(templates.phases)),
    size: () => changeTable(size, MARKDOWN),
    ...Object.fromEntries(
      [...forward, ...back]
        .filter(({ transition }) => transition && Math.abs(transition.from - transition.to) === 1)
        .map((report) => [
          `step-${report.transition?.from}-${report.transition?.to}`,
          () => changeTable(report, MARKDOWN),
        ]),
    ),
  };
}

function reportOf(
  title: string,
  before: NamedTemplate,
  after: NamedTemplate,
  manifest: Manifest,
  transition?: TransitionReport['transition'],
): TransitionReport {
  const comparison = compare(before, after);
  return { title, comparison, manifest, findings: checkGate(comparison, manifest), transition };
}

function costs(bills: PhaseBills): string {
  const totals = [...bills].map(([phase, { fixedUsd }]) => ({ phase, fixedUsd }));
  const rows = totals.map(({ phase, fixedUsd }, index) => {
    const previous = totals[index - 1];
    return [`phase-${phase}`, fixedUsd.toFixed(2), previous ? `+${(fixedUsd - previous.fixedUsd).toFixed(2)}` : ''];
  });
  return markdownTable(['phase', `fixed cost, USD per month, ${REGION}`, 'increase'], rows);
}
