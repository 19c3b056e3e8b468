import type { PriceTable } from '../prices/table';
import { planElasticFleet } from './elastic-fleet';
import { planFarm } from './farm';
import type { PhasePlan, PhaseTemplates, Plan } from './phase-plan';
import { planSingleBox } from './single-box';
import type { PlanInput } from './workload';

/** Plans every phase and chooses the cheapest sufficient one. More traffic never lowers the bill. */
export function planFor(input: PlanInput, templates: PhaseTemplates, prices: PriceTable): Plan {
  const phases = [
    planSingleBox('phase-1', input, templates, prices),
    planSingleBox('phase-2', input, templates, prices),
    planFarm(input, templates, prices),
    planElasticFleet(input, templates, prices),
  ];
  const [chosen] = phases
    .filter((phase): phase is PhasePlan => phase.holds)
    .sort((one, other) => one.bill.totalUsd - other.bill.totalUsd);
  return { chosen, phases };
}

/** Relative. */
const CAPACITY_ERROR = 1e-4;

/**
 * Peak requests/s up to which `planFor` chooses the same deployment. Above it, a tier lacks its margin or another plan is
 * cheaper. It never falls with traffic.
 */
export function capacityOf(chosen: PhasePlan, input: PlanInput, templates: PhaseTemplates, prices: PriceTable): number {
  const { traffic } = input;
  const isSame = (rps: number) => {
    const other = planFor({ ...input, traffic: { ...traffic, rps } }, templates, prices).chosen;
    return other !== undefined && deploymentOf(other) === deploymentOf(chosen);
  };
  let [same, another] = [traffic.rps, 2 * traffic.rps];
  while (isSame(another)) [same, another] = [another, 2 * another];
  while (another / same > 1 + CAPACITY_ERROR) {
    const middle = Math.sqrt(same * another);
    if (isSame(middle)) same = middle;
    else another = middle;
  }
  return same;
}

/** Text that is equal for two plans that deploy the same resources. */
function deploymentOf({ phase, context, database }: PhasePlan): string {
  return [phase, ...context, database?.class].join(' ');
}
