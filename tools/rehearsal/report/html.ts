import type { Report } from '../rehearse/findings';
import { KINDS } from '../traffic/messages';
import { charts } from './charts';
import { facts, serverTable, spikeTable } from './facts';
import { failureCount, mark, ms, REQUEST_COLUMNS, remarks, TARGET_COLUMNS, title, verdictLine } from './format';

/** CSS classes. */
const VERDICTS = { passed: 'met', missed: 'missed', 'not judged': 'unjudged' } as const;

/** Renders the report as one HTML document without external resources. */
export function html(report: Report): string {
  const { goals, scenario, command, startedAt } = report;
  const spike = spikeTable(report);
  const servers = serverTable(report);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Rehearsal of ${safe(title(scenario))}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>Rehearsal of ${safe(title(scenario))}</h1>
<p><code>${safe(command)}</code></p>
<p>${safe(startedAt.slice(0, 16).replace('T', ' '))} UTC · ${safe(report.machine)} · ${report.traffic.due} requests from ${report.traffic.visitors.came} visitors, ${report.traffic.visitors.cameBack} return visits</p>
<p class="verdict ${VERDICTS[report.verdict]}">${safe(verdictLine(report))}</p>
</header>
<main>
<section>
<h2>Targets</h2>
${rows(
  'Targets',
  TARGET_COLUMNS,
  goals.map((goal) => [goal.name, goal.measured, goal.goal, mark(goal)]),
)}
${remarks(report)
  .map((one) => `<p class="remark">${safe(one)}</p>`)
  .join('\n')}
</section>
${spike ? `<section>\n<h2>${SPIKE_HEADING}</h2>\n${rows(SPIKE_HEADING, spike.head, spike.rows, 1)}\n</section>` : ''}
${events(report)}
<section class="charts">
${charts(report)
  .map(({ title: name, svg }) => `<figure><figcaption>${safe(name)}</figcaption>${scrolled(name, svg)}</figure>`)
  .join('\n')}
</section>
<section>
<h2>Requests</h2>
${rows('Requests', REQUEST_COLUMNS, latencies(report), 1)}
${facts(report)
  .map((fact) => `<p>${safe(fact)}</p>`)
  .join('\n')}
</section>
<section>
<h2>Servers</h2>
${rows('Servers', servers.head, servers.rows, 3)}
</section>
</main>
</body>
</html>
`;
}

function events({ events }: Report): string {
  if (events.length === 0) return '';
  const items = events.map(({ at, what }) => `<li><span>${at.toFixed(1)} s</span> ${safe(what)}</li>`);
  return `<section>\n<h2>Event log</h2>\n<ol>\n${items.join('\n')}\n</ol>\n</section>`;
}

function latencies({ traffic }: Report): string[][] {
  const all = { kind: 'all', counts: traffic.counts, latency: traffic.latency };
  return [...KINDS.map((kind) => ({ kind, ...traffic.byKind[kind] })), all].map(({ kind, counts, latency }) => [
    kind,
    String(counts.ok),
    String(failureCount(counts)),
    ...[latency.p50, latency.p95, latency.p99, latency.max].map(ms),
  ]);
}

/** @param numbersFrom index of the first numeric column */
function rows(
  name: string,
  head: readonly string[],
  body: readonly (readonly string[])[],
  numbersFrom = head.length,
): string {
  const cells = (tag: 'th' | 'td', row: readonly string[]) =>
    row.map((cell, index) => `<${tag}${index >= numbersFrom ? ' class="number"' : ''}>${safe(cell)}</${tag}>`).join('');
  const table = `<table>
<thead><tr>${cells('th', head)}</tr></thead>
<tbody>
${body.map((row) => `<tr>${cells('td', row)}</tr>`).join('\n')}
</tbody>
</table>`;
  return scrolled(name, table);
}

/** A scroll container with keyboard focus, for content wider than the page. */
function scrolled(name: string, content: string): string {
  return `<div class="scroll" role="group" aria-label="${safe(name)}" tabindex="0">${content}</div>`;
}

function safe(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

const SPIKE_HEADING = 'Before the spike, at its peak, after it';

const STYLE = `
:root { color-scheme: light dark; --ink: #1d2430; --quiet: #4a5362; --page: #fff; --rule: #d5d9e0; --code: #f1f3f6; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e8ef; --quiet: #a9b2c1; --page: #14181f; --rule: #39414f; --code: #232a35; }
}
body { margin: 0 auto; max-width: 1180px; padding: 1.5rem; font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
header p { margin: .25rem 0; color: var(--quiet); }
code { background: var(--code); padding: .1rem .35rem; border-radius: 4px; font-size: .9em; }
header p.verdict { display: inline-block; margin-top: .6rem; padding: .25rem .75rem; border-radius: 1rem; font-weight: 600; }
header p.met { background: #e2f2e9; color: #1d5b40; }
header p.unjudged { background: #f7edd2; color: #6b4e00; }
header p.missed { background: #fbe5e3; color: #8f2822; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
th { text-align: left; font-weight: 600; color: var(--quiet); border-bottom: 2px solid var(--rule); }
th, td { padding: .3rem 1rem .3rem 0; vertical-align: top; }
td { border-bottom: 1px solid var(--rule); }
.number { text-align: right; }
.number, td:last-child { white-space: nowrap; }
.remark { border-left: 3px solid #d9a21b; padding-left: .75rem; margin: .75rem 0; }
ol { padding-left: 1.75rem; margin: 0; }
ol span { display: inline-block; min-width: 4rem; color: var(--quiet); font-variant-numeric: tabular-nums; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 520px), 1fr)); gap: 1.5rem; margin-top: 2rem; }
figure { margin: 0; }
figcaption { font-weight: 600; margin-bottom: .25rem; }
/* Keeps text readable: a phone scrolls the chart instead of shrinking it. */
svg { display: block; width: 100%; min-width: 520px; height: auto; background: #fff; border-radius: 6px; }
@media (max-width: 36rem) {
  body { padding: 1rem; }
  th, td { padding-right: .6rem; }
}
`;
