import { distribution } from '../rehearse/distribution';
import type { RehearsalSecond, Report } from '../rehearse/findings';
import { mean } from '../rehearse/goals-of-load';
import { IN_TIME } from '../traffic/messages';
import { spikeParts } from '../traffic/profiles';
import { balanced, cacheHits, ms, notOk, percent } from './words';

/** What was seen besides figures with a goal, a sentence each. */
export function facts(report: Report): string[] {
  const all = [wall, catalogue, edge, database, connections, spread].map((fact) => fact(report));
  return all.filter((one) => one !== undefined);
}

/** Milliseconds within which 99 of 100 answers come to visitors who notice nothing. */
const QUICK = 250;

/** Of a ramp, up to which load nobody noticed it. The first seconds warm up; one bad second alone is none of load. */
function wall({ scenario, seconds }: Report): string | undefined {
  if (scenario.load.profile !== 'ramp') return undefined;
  const slow = ({ latency, counts }: RehearsalSecond) => latency.p99 > QUICK || counts.ok < notOk(counts) * 99;
  const first = seconds.findIndex((_, index) => index > 5 && seconds.slice(index, index + 3).every(slow));
  const most = Math.max(...seconds.map(({ inTime }) => inTime));
  const quick = `99 of 100 requests were answered within ${QUICK} ms`;
  const until = first < 0 ? `${quick} to the end` : `${quick} up to ${seconds[first]?.due} requests/s`;
  return `Ramp: ${until}; at most ${most} answers/s came within a second.`;
}

function catalogue({ traffic, scenario }: Report): string | undefined {
  const { edge, cache, database } = traffic.sources;
  const all = edge + cache + database;
  if (all === 0) return undefined;
  const without = scenario.cache === false ? ', with the caches of the servers switched off' : '';
  return `Catalogue: ${percent(cacheHits(traffic.sources))} of ${all} answers reached no database (edge ${edge}, cache ${cache}, database ${database})${without}.`;
}

function edge({ edge: counted }: Report): string | undefined {
  if (!counted || counted.lookups === 0) return undefined;
  return `Edge: ${percent(counted.hits / counted.lookups)} of ${counted.lookups} look-ups in its cache were hits: catalogue, pages of visitors without a cookie, static files.`;
}

function database({ seconds, scenario, audit }: Report): string {
  const all = { from: 0, to: Number.POSITIVE_INFINITY };
  const rate = (of: (second: RehearsalSecond) => number) => mean(seconds, all, of);
  const writes = rate(({ queries }) => queries.writes);
  const reads = rate(({ queries }) => queries.primary) - writes;
  const elsewhere = rate(({ queries }) => queries.replicas);
  const primary = `Database: ${writes.toFixed(0)} statements/s that write or lock and ${reads.toFixed(0)} that read on the primary`;
  if ((scenario.until ?? scenario.phase) < 3) return `${primary}.`;
  const share = percent(elsewhere / Math.max(1, reads + elsewhere));
  return `${primary}, ${elsewhere.toFixed(0)} that read on replicas (${share} of reads); ${audit.staleReads} reads showed less than one's own writes.`;
}

function connections({ seconds }: Report): string {
  const most = (of: (second: RehearsalSecond) => number) => Math.max(0, ...seconds.map(of));
  const primary = most((second) => second.connections.primary);
  const limit = seconds[0]?.connections.limit ?? 0;
  const pooler = most((second) => second.connections.pooler ?? 0);
  const before = pooler > 0 ? `${pooler} from servers and workers to the pooler, ` : '';
  return `Connections at the most: ${before}${primary} to the primary database, which takes ${limit}.`;
}

function spread(report: Report): string | undefined {
  const found = distribution(report);
  if (!found) return undefined;
  const { balance = 'roundrobin', layer = 7 } = report.scenario;
  const what = layer === 4 ? 'Connections' : 'Requests';
  const { mean: average, fewest, most, busiest } = found;
  return `${what} of a server, by ${balance}: ${average.toFixed(0)} on average, from ${fewest} to ${most}; the busiest had ${busiest.toFixed(2)} times the mean.`;
}

export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** How the shop was before a spike, at its top and after it; undefined without one. Rates are a second. */
export function course({ scenario, seconds }: Report): Table | undefined {
  if (scenario.load.profile !== 'spike') return undefined;
  const rows = spikeParts(scenario.load).map((part) => {
    const of = (value: (second: RehearsalSecond) => number) => mean(seconds, part, value);
    const fewest = Math.min(...seconds.filter(({ at }) => at > part.from && at <= part.to).map((one) => one.inService));
    return [
      part.name,
      of(({ due }) => due).toFixed(0),
      of(({ reloads }) => reloads).toFixed(0),
      of(({ inTime }) => inTime).toFixed(0),
      of(({ counts, inTime }) => counts.ok - inTime).toFixed(0),
      of(({ counts }) => counts.refused).toFixed(0),
      of(({ counts }) => counts.failed + counts.wrong).toFixed(0),
      ms(of(({ latency }) => latency.p50)),
      ms(of(({ latency }) => latency.p99)),
      Number.isFinite(fewest) ? String(fewest) : '-',
    ];
  });
  const head = [
    '',
    'asked/s',
    'reloads',
    `within ${IN_TIME / 1000} s`,
    'later',
    'refused',
    'failed',
    'p50 ms',
    'p99 ms',
    'servers',
  ];
  return { head, rows };
}

/** What each server did. */
export function perServer({ servers, scenario }: Report): Table {
  const all = servers.reduce((sum, { requests }) => sum + requests, 0);
  const rows = servers.map(({ name, zone, state, counted, requests, failures, cpuSeconds }) => [
    name,
    zone,
    state,
    counted ? String(requests) : '-',
    counted && all > 0 ? percent(requests / all) : '-',
    counted ? String(failures) : '-',
    cpuSeconds.toFixed(1),
  ]);
  return { head: ['server', 'zone', 'at the end', balanced(scenario), 'share', 'failures', 'CPU s'], rows };
}
