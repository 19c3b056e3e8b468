import { table } from '../../support/table';
import { type Advice, HORIZON, trendText, type WallStatus, type Window } from './advice';
import type { PhaseNumber, Wall } from './walls';

const DAY = 86_400;

export function renderAdvice(advice: Advice, what: string, phase: PhaseNumber, window: Window): string {
  const days = Math.round(((window.end - window.start) / DAY) * 10) / 10;
  const lines = [
    `${what}, phase ${phase}: ${days} days to ${new Date(window.end * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC, points of ${window.period} s`,
    '',
    ...verdictLines(advice, window),
    '',
    findingsTable(advice.statuses, window),
  ];
  if (advice.symptoms.length > 0) {
    lines.push('', 'Something is wrong that is no wall:');
    for (const { wall, resource, peak, remedy } of advice.symptoms) {
      lines.push(`  ${wall.what} (${resource}): ${shown(peak, wall)} at the worst; ${remedy.does}`);
    }
  }
  if (advice.unknown.length > 0) {
    lines.push('', 'Cannot be told:', ...advice.unknown.map((line) => `  ${line}`));
  }
  if (advice.notJudged.length > 0) {
    lines.push('', 'Not judged:', ...advice.notJudged.map((line) => `  ${line}`));
  }
  lines.push(
    '',
    `Trends are straight lines through each day's peak, followed for ${HORIZON} days; bounds hold them with 95%.`,
  );
  return lines.join('\n');
}

function verdictLines({ verdict, wall, unknown }: Advice, window: Window): string[] {
  const reservation = unknown.length > 0 ? ', as far as can be told' : '';
  if (!wall) {
    return verdict === 'stay'
      ? [`Stay${reservation}: nothing is full, and no trend leads there.`]
      : ['Cannot be told: there is no data. Are the metrics published, and is the region the right one?'];
  }
  const { phase, does } = wall.remedy;
  const what = `${wall.wall.what} (${wall.resource})`;
  const head =
    verdict === 'act'
      ? `Now: ${what} is full: ${shown(wall.peak, wall.wall)}, full is ${limitOf(wall)}.`
      : `Next: ${what} is full ${when(wall, window)} if the trend holds.`;
  return [head, phase === undefined ? `Stay on this phase: ${does}.` : `Phase ${phase} removes it: ${does}.`];
}

function findingsTable(findings: readonly WallStatus[], window: Window): string {
  const rows = findings
    .filter(({ state }) => state !== 'no data' && state !== 'no limit')
    .map((finding) => {
      const { wall, resource, state, peak } = finding;
      const trend = state === 'filling' ? when(finding, window) : trendText(finding);
      return [
        wall.what,
        resource,
        wall.symptom && state === 'full' ? 'wrong' : state,
        shown(peak, wall),
        limitOf(finding),
        trend,
        wall.source,
      ];
    });
  if (rows.length === 0) return 'No metric has data of the last day.';
  return table(['wall', 'at', 'state', 'last day', 'full', 'if the trend holds', 'source of the limit'], rows);
}

function limitOf({ threshold, wall }: WallStatus): string {
  return `${wall.side === 'below' ? '<' : wall.side === 'above' ? '>' : '≥'} ${shown(threshold, wall)}`;
}

/** `on 2026-03-01 (2026-02-20 to 2026-03-19)`. */
function when({ crossing }: WallStatus, window: Window): string {
  const date = (days: number | undefined) =>
    days === undefined
      ? `after ${HORIZON} days`
      : new Date((window.end + days * DAY) * 1000).toISOString().slice(0, 10);
  return `on ${date(crossing?.expected)} (${date(crossing?.earliest)} to ${date(crossing?.latest)})`;
}

function shown(value: number | undefined, { unit }: Wall): string {
  if (value === undefined) return '-';
  if (unit === 'bytes') return `${(value / 1024 ** 3).toFixed(1)} GiB`;
  const rounded = value.toLocaleString('en-US', { maximumFractionDigits: value < 1 ? 3 : 1 });
  return unit === '%' ? `${rounded}%` : unit === '' ? rounded : `${rounded} ${unit}`;
}

export function adviceAsJson(advice: Advice, what: string, phase: PhaseNumber, window: Window): string {
  const iso = (at: number) => new Date(at * 1000).toISOString();
  const plain = (finding: WallStatus) => ({
    wall: finding.wall.id,
    what: finding.wall.what,
    resource: finding.resource,
    state: finding.state,
    lastDay: finding.peak ?? null,
    full: { side: finding.wall.side, value: finding.threshold ?? null, source: finding.wall.source },
    shareOfLastDay: finding.share,
    slopeADay: finding.trend?.slope ?? null,
    significant: finding.trend?.significant ?? null,
    fullOn: finding.crossing
      ? Object.fromEntries(
          Object.entries(finding.crossing).map(([name, days]) => [
            name,
            days === undefined ? null : iso(window.end + days * DAY).slice(0, 10),
          ]),
        )
      : null,
    remedy: finding.remedy,
  });
  return JSON.stringify(
    {
      what,
      phase,
      window: { start: iso(window.start), end: iso(window.end), period: window.period },
      verdict: advice.verdict,
      wall: advice.wall ? plain(advice.wall) : null,
      symptoms: advice.symptoms.map(plain),
      findings: advice.statuses.map(plain),
      unknown: advice.unknown,
      notJudged: advice.notJudged,
    },
    null,
    2,
  );
}
