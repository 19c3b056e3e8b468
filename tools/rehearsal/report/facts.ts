import { distribution } from '../rehearse/distribution';
import type { RehearsalSecond, Report } from '../rehearse/findings';
import { mean } from '../rehearse/goals-of-load';
import { IN_TIME } from '../traffic/messages';
import { spikeParts } from '../traffic/profiles';
import { balancedUnit, cacheHits, failureCount, ms, percent } from './format';

/** Returns observations that are no targets, one sentence each. */
export function facts(report: Report): string[] {
  const all = [rampFact, catalogueFact, edgeFact, databaseFact, connectionsFact, distributionFact].map((fact) =>
    fact(report),
  );
  return all.filter((one) => one !== undefined);
}

/** 99th percentile latency in milliseconds that visitors do not notice. */
const UNNOTICED_MS = 250;

/** Load of a ramp up to which latency stays low. Skips warm-up; saturation takes three consecutive slow seconds. */
function rampFact({ scenario, seconds }: Report): string | undefined {
  if (scenario.load.profile !== 'ramp') return undefined;
  const slow = ({ latency, counts }: RehearsalSecond) =>
    latency.p99 > UNNOTICED_MS || counts.ok < failureCount(counts) * 99;
  const first = seconds.findIndex((_, index) => index > 5 && seconds.slice(index, index + 3).every(slow));
  const most = Math.max(...seconds.map(({ inTime }) => inTime));
  const quick = `99% of requests succeeded within ${UNNOTICED_MS} ms`;
  const until = first < 0 ? `${quick} throughout` : `${quick} up to ${seconds[first]?.due} requests/s`;
  return `Ramp: ${until}; peak goodput was ${most} responses/s within ${IN_TIME / 1000} s.`;
}

function catalogueFact({ traffic, scenario }: Report): string | undefined {
  const { edge, cache, database } = traffic.sources;
  const all = edge + cache + database;
  if (all === 0) return undefined;
  const without = scenario.cache === false ? ', with server caches disabled' : '';
  return `Catalogue: ${percent(cacheHits(traffic.sources))} of ${all} responses came from a cache (edge ${edge}, server cache ${cache}, database ${database})${without}.`;
}

function edgeFact({ edge: counted }: Report): string | undefined {
  if (!counted || counted.lookups === 0) return undefined;
  return `Edge: ${percent(counted.hits / counted.lookups)} of ${counted.lookups} cache lookups were hits (catalogue, pages of visitors without a cookie, static files).`;
}

function databaseFact({ seconds, scenario, audit }: Report): string {
  const all = { from: 0, to: Number.POSITIVE_INFINITY };
  const rate = (of: (second: RehearsalSecond) => number) => mean(seconds, all, of);
  const writes = rate(({ queries }) => queries.writes);
  const reads = rate(({ queries }) => queries.primary) - writes;
  const elsewhere = rate(({ queries }) => queries.replicas);
  const primary = `Database: ${writes.toFixed(0)} writes/s (including locking reads) and ${reads.toFixed(0)} reads/s on the primary`;
  if ((scenario.until ?? scenario.phase) < 3) return `${primary}.`;
  const share = percent(elsewhere / Math.max(1, reads + elsewhere));
  return `${primary}, ${elsewhere.toFixed(0)} reads/s on replicas (${share} of reads); ${audit.staleReads} read-your-writes violations.`;
}

function connectionsFact({ seconds }: Report): string {
  const most = (of: (second: RehearsalSecond) => number) => Math.max(0, ...seconds.map(of));
  const primary = most((second) => second.connections.primary);
  const limit = seconds[0]?.connections.limit ?? 0;
  const pooler = most((second) => second.connections.pooler ?? 0);
  const before = pooler > 0 ? `${pooler} from servers and workers to the pooler, ` : '';
  return `Peak connections: ${before}${primary} to the primary database (limit ${limit}).`;
}

function distributionFact(report: Report): string | undefined {
  const found = distribution(report);
  if (!found) return undefined;
  const { balance = 'roundrobin', layer = 7 } = report.scenario;
  const unit = layer === 4 ? 'Connections' : 'Requests';
  const { mean: average, fewest, most, busiest } = found;
  return `${unit} per server (${balance}): mean ${average.toFixed(0)}, range ${fewest} to ${most}; the busiest got ${busiest.toFixed(2)}x the mean.`;
}

export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Table of load and responses before a spike, at its peak, and after it; undefined without a spike. Rates are per second. */
export function spikeTable({ scenario, seconds }: Report): Table | undefined {
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
    'due/s',
    'retries',
    `within ${IN_TIME / 1000} s`,
    'slower',
    'refused',
    'failed',
    'p50 ms',
    'p99 ms',
    'servers',
  ];
  return { head, rows };
}

/** Table of requests and CPU time per server. */
export function serverTable({ servers, scenario }: Report): Table {
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
  return { head: ['server', 'zone', 'final state', balancedUnit(scenario), 'share', 'failures', 'CPU s'], rows };
}
