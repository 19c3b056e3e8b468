import { table } from '../../support/table';
import { money, rightAligned } from '../cost/render';
import type { PhasePlan, Plan } from './phase-plan';
import { steps } from './scale-cube';
import type { PlanInput } from './workload';

/**
 * A plan for a terminal; the bill itself is printed by whoever has it.
 *
 * @param capacityRps of the chosen phase, by `capacityOf`
 */
export function renderPlan(plan: Plan, input: PlanInput, capacityRps: number | undefined): string {
  const { traffic } = input;
  const head = ['phase', 'servers', 'database', 'USD/month', 'verdict'];
  const rows = plan.phases.map((phase) =>
    phase.holds
      ? [
          phase.phase,
          serversOf(phase),
          databaseOf(phase),
          money(phase.bill.totalUsd),
          verdict(phase, plan, capacityRps),
        ]
      : [phase.phase, '-', '-', '-', `cannot: ${phase.why}`],
  );
  return [
    `${traffic.rps.toLocaleString('en-US')} requests/s at the peak, ${traffic.peakToAverage} times the mean; to survive: ${input.survive}`,
    '',
    table(head, rightAligned(head, rows, [3])),
    '',
    ...(plan.chosen ? chosenPlan(plan.chosen, plan) : NONE),
  ].join('\n');
}

const NONE = [
  'No phase up to 4 holds it. What is left is phase 5: services by function (Y), data in shards (Z), regions.',
];

function chosenPlan(plan: PhasePlan, { phases }: Plan): string[] {
  const reached = steps.filter(({ to }) => to <= plan.phase);
  return [
    `${plan.phase}, the cheapest that holds it:`,
    '',
    table(
      ['what', 'why'],
      plan.reasons.map(({ what, how }) => [what, how]),
    ),
    '',
    table(
      ['step', 'axis of the scale cube', 'how'],
      reached.map(({ from, to, axis, how }) => [from === to ? to : `${from} -> ${to}`, axis, how]),
    ),
    '',
    ...priceOfSurvival(plan, phases),
    `npx cdk deploy ${plan.phase} ${plan.context.map((pair) => `-c ${pair}`).join(' ')}`,
    ...(plan.database && plan.database.class !== DEFAULT_CLASS
      ? [`and the class ${plan.database.class} in lib/tiers/database.ts, which no -c says (it is ${DEFAULT_CLASS}).`]
      : []),
  ];
}

/** The class that lib/tiers/database.ts takes by itself. */
const DEFAULT_CLASS = 'db.t4g.medium';

/** What it costs more to lose a machine without an outage. */
function priceOfSurvival(plan: PhasePlan, phases: Plan['phases']): string[] {
  const [safe] = phases
    .filter((one): one is PhasePlan => one.holds && one.servers > 1)
    .sort((one, other) => one.bill.totalUsd - other.bill.totalUsd);
  if (plan.servers > 1 || !safe) return [];
  const more = money(safe.bill.totalUsd - plan.bill.totalUsd);
  return [
    `One machine is one point of failure. ${safe.phase} loses any zone without an outage, for ${more} more a month.`,
    '',
  ];
}

function serversOf({ servers, averageServers, serverType, workers }: PhasePlan): string {
  const [type] = serverType.split(', ');
  const average = averageServers === servers ? '' : ` (${averageServers} on average)`;
  return `${servers} x ${type}${average}${workers > 0 ? `, ${workers} workers` : ''}`;
}

function databaseOf({ database }: PhasePlan): string {
  if (!database) return 'on the box';
  return database.replicas > 0 ? `${database.class}, ${database.replicas} replicas` : database.class;
}

function verdict(phase: PhasePlan, { chosen }: Plan, capacityRps = 0): string {
  if (phase !== chosen) return 'holds it, dearer';
  return `CHOSEN, and the same up to ${Math.floor(capacityRps).toLocaleString('en-US')} requests/s`;
}
