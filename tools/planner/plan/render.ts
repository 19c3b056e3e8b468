import { DEFAULT_DATABASE_CLASS } from '../../../lib/phases/sizes';
import { table } from '../../support/table';
import { money, rightAligned } from '../cost/render';
import type { PhasePlan, Plan } from './phase-plan';
import { scaleCubeAxes } from './scale-cube';
import type { PlanInput } from './workload';

/**
 * Formats a plan for a terminal, without the bill.
 *
 * @param capacityRps of the chosen phase, from `capacityOf`
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
      : [phase.phase, '-', '-', '-', `insufficient: ${phase.why}`],
  );
  return [
    `${traffic.rps.toLocaleString('en-US')} requests/s at the peak, ${traffic.peakToAverage} times the mean; must survive the loss of: ${input.survive}`,
    '',
    table(head, rightAligned(head, rows, [3])),
    '',
    ...(plan.chosen ? chosenPlan(plan.chosen, plan) : NONE),
  ].join('\n');
}

const NONE = [
  'No phase up to 4 is sufficient. The next step is phase 5: services by function (Y), data in shards (Z), multiple regions.',
];

function chosenPlan(plan: PhasePlan, { phases }: Plan): string[] {
  const reached = scaleCubeAxes.filter(({ to }) => to <= plan.phase);
  return [
    `${plan.phase} is the cheapest sufficient phase:`,
    '',
    table(
      ['item', 'reason'],
      plan.reasons.map(({ what, how }) => [what, how]),
    ),
    '',
    table(
      ['step', 'scale cube axis', 'how'],
      reached.map(({ from, to, axis, how }) => [from === to ? to : `${from} -> ${to}`, axis, how]),
    ),
    '',
    ...priceOfSurvival(plan, phases),
    `npx cdk deploy ${plan.phase} ${plan.context.map((pair) => `-c ${pair}`).join(' ')}`,
    ...(plan.database && plan.database.class !== DEFAULT_DATABASE_CLASS
      ? [
          `Also change the class in lib/tiers/database.ts from ${DEFAULT_DATABASE_CLASS} to ${plan.database.class}: there is no -c for it.`,
        ]
      : []),
  ];
}

/** Extra cost of surviving the loss of a machine. */
function priceOfSurvival(plan: PhasePlan, phases: Plan['phases']): string[] {
  const [safe] = phases
    .filter((one): one is PhasePlan => one.holds && one.servers > 1)
    .sort((one, other) => one.bill.totalUsd - other.bill.totalUsd);
  if (plan.servers > 1 || !safe) return [];
  const more = money(safe.bill.totalUsd - plan.bill.totalUsd);
  return [
    `A single machine is a single point of failure. ${safe.phase} survives the loss of any zone for ${more} more a month.`,
    '',
  ];
}

function serversOf({ servers, averageServers, serverType, workers }: PhasePlan): string {
  const [type] = serverType.split(', ');
  const average = averageServers === servers ? '' : ` (${averageServers} on average)`;
  return `${servers} x ${type}${average}${workers > 0 ? `, ${workers} worker${workers > 1 ? 's' : ''}` : ''}`;
}

function databaseOf({ database }: PhasePlan): string {
  if (!database) return 'on the instance';
  return database.replicas > 0 ? `${database.class}, ${database.replicas} replicas` : database.class;
}

function verdict(phase: PhasePlan, { chosen }: Plan, capacityRps = 0): string {
  if (phase !== chosen) return 'sufficient, costs more';
  return `CHOSEN, valid up to ${Math.floor(capacityRps).toLocaleString('en-US')} requests/s`;
}
