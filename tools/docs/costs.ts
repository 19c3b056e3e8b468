import { phases } from '../../lib/phases/phases';
import type { NamedTemplate } from '../evolution/references';
import { type Bill, type BillRow, billOf } from '../planner/cost/bill';
import { readPriceTable } from '../planner/prices/table';

/** Region of the prices in the docs. */
export const REGION = 'us-east-1';

/** Bills without traffic, by phase number. */
export type PhaseBills = ReadonlyMap<number, Bill>;

/** Calculates the bill of each phase from its default template. */
export function phaseBills(templates: ReadonlyMap<number, NamedTemplate>): PhaseBills {
  const prices = readPriceTable(REGION);
  return new Map(
    [...templates].map(([phase, { name, ...stack }]) => [phase, billOf([{ id: name, ...stack }], { prices })]),
  );
}

/** Construct paths of each tier below the phase, by file name in `lib/tiers/`. */
export const TIER_PATHS: Readonly<Record<string, readonly string[]>> = {
  address: ['Address'],
  'backlog-scaling': ['WorkerScaling'],
  backup: ['Backup'],
  box: ['Box'],
  'cloudfront-prefix-list': ['CloudFront'],
  database: ['Database'],
  'database-proxy': ['DatabaseProxy'],
  edge: ['Edge'],
  'fault-drills': ['FaultDrills'],
  fleet: ['Fleet', 'ElasticFleet', 'Workers'],
  'job-queue': ['JobQueue'],
  'load-balancer': ['LoadBalancer', 'InternalLoadBalancer'],
  network: ['Network'],
  'read-replicas': ['ReadReplicas'],
  'restore-testing': ['RestoreTesting'],
  scaling: ['Scaling'],
  'session-cache': ['SessionCache'],
  'session-secret': ['SessionSecret'],
  'state-key': ['StateKey'],
  'web-acl': ['EdgeParts/WebAcl'],
};

/** Path of a bill's row below its phase, such as `Box/Instance`. */
export function pathInPhase({ name }: BillRow): string {
  return name.replace(/^(.*\/)?Shop\//, '');
}

/** Formats US dollars: whole dollars from 10, cents below. */
export function dollars(usd: number): string {
  return `$${usd.toFixed(usd > 0 && usd < 10 ? 2 : 0)}`;
}

/** Returns the cost statement for each source file of a phase or tier; undefined for a tier without charges. */
export function costStatements(bills: PhaseBills): ReadonlyMap<string, string | undefined> {
  const ofPhases = phases
    .filter(({ number }) => bills.has(number))
    .map(({ number, file }) => [`lib/phases/${file}`, phaseStatement(number, bills.get(number) as Bill)] as const);
  const ofTiers = Object.entries(TIER_PATHS).map(
    ([name, paths]) => [`lib/tiers/${name}.ts`, tierStatement(paths, bills)] as const,
  );
  return new Map<string, string | undefined>([...ofPhases, ...ofTiers]);
}

function phaseStatement(phase: number, { rows, fixedUsd }: Bill): string {
  return `${dollars(fixedUsd)} a month, plus usage ${provenance(rows, phase)}.`;
}

/** A tier at one construct path in one phase. */
interface TierInPhase {
  readonly phase: number;
  readonly path: string;
  readonly rows: readonly BillRow[];
}

function tierStatement(paths: readonly string[], bills: PhaseBills): string | undefined {
  const uses: TierInPhase[] = paths.flatMap((path) =>
    [...bills]
      .map(([phase, bill]) => ({
        phase,
        path,
        rows: bill.rows.filter((row) => pathInPhase(row).startsWith(`${path}/`)),
      }))
      .filter(({ rows }) => rows.length > 0),
  );
  const rows = uses.flatMap((use) => use.rows);
  const lastPhase = Math.max(...uses.map(({ phase }) => phase));
  const hasUsage = rows.some(({ charges }) => charges.some(({ kind }) => kind === 'usage'));
  if (fixedUsd(rows) === 0) {
    return hasUsage ? `none; billed by usage (\`npm run cost -- phase-${lastPhase} --rps 100\`).` : undefined;
  }

  const amounts = new Map<string, TierInPhase[]>();
  for (const use of uses) {
    const key = `${dollars(fixedUsd(use.rows))} ${use.path}`;
    amounts.set(key, [...(amounts.get(key) ?? []), use]);
  }
  const list = [...amounts.values()].map((same, index) => {
    const { path, rows } = same[0] as TierInPhase;
    const name = paths.length > 1 ? ` (\`${path}\`)` : '';
    return `${dollars(fixedUsd(rows))}${index === 0 ? ' a month' : ''} in ${phaseList(same)}${name}`;
  });
  return `${list.join(', ')}${hasUsage ? ', plus usage' : ''} ${provenance(rows, lastPhase)}.`;
}

function phaseList(uses: readonly TierInPhase[]): string {
  const numbers = uses.map(({ phase }) => phase);
  const [first, last] = [numbers[0] as number, numbers.at(-1) as number];
  if (first === last) return `phase ${first}`;
  if (numbers.length > 2 && last - first === numbers.length - 1) return `phases ${first} to ${last}`;
  return `phases ${numbers.slice(0, -1).join(', ')} and ${last}`;
}

function fixedUsd(rows: readonly BillRow[]): number {
  const fixed = rows.flatMap(({ charges }) => charges.filter(({ kind }) => kind === 'fixed'));
  return fixed.reduce((sum, { usd }) => sum + (usd ?? 0), 0);
}

/** Region and dates of the prices, and the command that prints the figures. */
function provenance(rows: readonly BillRow[], phase: number): string {
  const months = rows
    .flatMap(({ charges }) => charges.map(({ asOf }) => asOf?.slice(0, 'yyyy-mm'.length)))
    .filter((month) => month !== undefined)
    .sort();
  const dates = [...new Set([months[0], months.at(-1)])].join(' to ');
  return `(${REGION}, prices of ${dates}; \`npm run cost -- phase-${phase}\`)`;
}
