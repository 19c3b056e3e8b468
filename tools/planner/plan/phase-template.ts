import { type Bill, billOf } from '../cost/bill';
import type { PriceTable } from '../prices/table';
import type { PhaseTemplates } from './phase-plan';
import { type Scale, scaledTemplate } from './scaled-template';
import type { PlanInput } from './workload';

/** Calculates the bill of a phase at a scale. */
export function billAt(
  templates: PhaseTemplates,
  phase: string,
  scale: Scale,
  instances: Readonly<Record<string, number>>,
  { traffic }: PlanInput,
  prices: PriceTable,
): Bill {
  const { template, paths } = phaseOf(templates, phase);
  return billOf([{ id: phase, template: scaledTemplate(template, scale), paths }], { prices, traffic, instances });
}

function phaseOf(templates: PhaseTemplates, phase: string) {
  const found = templates.get(phase);
  if (!found) throw new Error(`plan: no template for ${phase}`);
  return found;
}

/** Returns class and storage of the phase's database, which are the minimum for a plan. */
export function databaseOf(templates: PhaseTemplates, phase: string): { class: string; storageGib: number } {
  const resources = Object.values(phaseOf(templates, phase).template.Resources);
  const primary = resources.find(({ Properties }) => Properties?.AllocatedStorage && Properties.DBInstanceClass);
  return {
    class: String(primary?.Properties?.DBInstanceClass),
    storageGib: Number(primary?.Properties?.AllocatedStorage),
  };
}
