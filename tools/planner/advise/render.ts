import { table } from '../../support/table';
import { type Advice, HORIZON, type LimitStatus, trendText, type Window } from './advice';
import type { Limit, PhaseNumber } from './limits';

const DAY = 86_400;

export function renderAdvice(advice: Advice, what: string, phase: PhaseNumber, window: Window): string {
  const days = Math.round(((window.end - window.start) / DAY) * 10) / 10;
  const lines = [
    `${what}, phase ${phase}: ${days} days to ${new Date(window.end * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC, period ${window.period} s`,
    '',
    ...verdictLines(advice, window),
    '',
    statusTable(advice.statuses, window),
  ];
  if (advice.symptoms.length > 0) {
    lines.push('', 'Failures other than capacity limits:');
    for (const { limit, resource, peak, remedy } of advice.symptoms) {
      lines.push(`  ${limit.what} (${resource}): peak ${shown(peak, limit)}; ${remedy.action}`);
    }
  }
  if (advice.unknown.length > 0) {
    lines.push('', 'Unknown:', ...advice.unknown.map((line) => `  ${line}`));
  }
  if (advice.notJudged.length > 0) {
    lines.push('', 'Not checked:', ...advice.notJudged.map((line) => `  ${line}`));
  }
  lines.push(
    '',
    `Trends are linear fits of daily peaks, extrapolated for ${HORIZON} days, with 95% confidence bounds.`,
  );
  return lines.join('\n');
}

function verdictLines({ verdict, next, unknown }: Advice, window: Window): string[] {
  const reservation = unknown.length > 0 ? ' (some limits are unknown)' : '';
  if (!next) {
    return verdict === 'stay'
      ? [`Stay${reservation}: no limit is reached, and no trend leads to one.`]
      : ['Unknown: no data. Check that the metrics are published and that the region is correct.'];
  }
  const { phase, action } = next.remedy;
  const what = `${next.limit.what} (${next.resource})`;
  const head =
    verdict === 'act'
      ? `Now: ${what} has reached its limit: ${shown(next.peak, next.limit)}, limit ${thresholdOf(next)}.`
      : `Next: ${what} reaches its limit ${when(next, window)} if the trend continues.`;
  return [head, phase === undefined ? `Stay on this phase: ${action}.` : `Phase ${phase} removes it: ${action}.`];
}

function statusTable(statuses: readonly LimitStatus[], window: Window): string {
  const rows = statuses
    .filter(({ state }) => state !== 'no data' && state !== 'no limit')
    .map((status) => {
      const { limit, resource, state, peak } = status;
      const trend = state === 'filling' ? when(status, window) : trendText(status);
      return [
        limit.what,
        resource,
        limit.symptom && state === 'full' ? 'failing' : state,
        shown(peak, limit),
        thresholdOf(status),
        trend,
        limit.source,
      ];
    });
  if (rows.length === 0) return 'No metric has data for the last day.';
  return table(['limit', 'resource', 'state', 'last day', 'threshold', 'forecast', 'source of the limit'], rows);
}

function thresholdOf({ threshold, limit }: LimitStatus): string {
  return `${limit.side === 'below' ? '<' : limit.side === 'above' ? '>' : '≥'} ${shown(threshold, limit)}`;
}

/** `on 2026-03-01 (2026-02-20 to 2026-03-19)`. */
function when({ crossing }: LimitStatus, window: Window): string {
  const date = (days: number | undefined) =>
    days === undefined
      ? `after ${HORIZON} days`
      : new Date((window.end + days * DAY) * 1000).toISOString().slice(0, 10);
  return `on ${date(crossing?.expected)} (${date(crossing?.earliest)} to ${date(crossing?.latest)})`;
}

function shown(value: number | undefined, { unit }: Limit): string {
  if (value === undefined) return '-';
  if (unit === 'bytes') return `${(value / 1024 ** 3).toFixed(1)} GiB`;
  const rounded = value.toLocaleString('en-US', { maximumFractionDigits: value < 1 ? 3 : 1 });
  return unit === '%' ? `${rounded}%` : unit === '' ? rounded : `${rounded} ${unit}`;
}

export function adviceAsJson(advice: Advice, what: string, phase: PhaseNumber, window: Window): string {
  const iso = (at: number) => new Date(at * 1000).toISOString();
  const plain = (status: LimitStatus) => ({
    wall: status.limit.id,
    what: status.limit.what,
    resource: status.resource,
    state: status.state,
    lastDay: status.peak ?? null,
    full: { side: status.limit.side, value: status.threshold ?? null, source: status.limit.source },
    shareOfLastDay: status.share,
    slopeADay: status.trend?.slope ?? null,
    significant: status.trend?.significant ?? null,
    fullOn: status.crossing
      ? Object.fromEntries(
          Object.entries(status.crossing).map(([name, days]) => [
            name,
            days === undefined ? null : iso(window.end + days * DAY).slice(0, 10),
          ]),
        )
      : null,
    remedy: { phase: status.remedy.phase, does: status.remedy.action },
  });
  return JSON.stringify(
    {
      what,
      phase,
      window: { start: iso(window.start), end: iso(window.end), period: window.period },
      verdict: advice.verdict,
      wall: advice.next ? plain(advice.next) : null,
      symptoms: advice.symptoms.map(plain),
      findings: advice.statuses.map(plain),
      unknown: advice.unknown,
      notJudged: advice.notJudged,
    },
    null,
    2,
  );
}
