import type { Report } from '../rehearse/findings';
import type { Goal, Verdict } from '../rehearse/goal';
import { defaultServers, type Scenario } from '../rehearse/scenario';
import type { Counts, Source } from '../traffic/messages';

/** Table heads. */
export const TARGET_COLUMNS = ['target', 'measured', 'required', 'result'];
export const REQUEST_COLUMNS = ['requests', 'succeeded', 'failed', 'p50 ms', 'p95 ms', 'p99 ms', 'max ms'];

const BALANCE = {
  roundrobin: undefined,
  leastconn: 'least connections',
  source: 'source address hash',
  sticky: 'sticky',
} as const;

/** Formats a scenario as `phase 3, 5 servers, 400 requests/s for 30 s`, with settings that differ from the defaults. */
export function title({ phase, until, servers = defaultServers(phase), load, ...settings }: Scenario): string {
  const { vcpu, sessions, balance = 'roundrobin', layer = 7, shedding, cache } = settings;
  const shape = { steady: '', ramp: ', ramp', spike: `, spike of ${load.factor}x`, 'black-friday': ', Black Friday' };
  const fleet = `${servers} ${servers === 1 ? 'server' : 'servers'}${vcpu === undefined ? '' : ` of ${vcpu} vCPU`}`;
  const phases = until === undefined ? `phase ${phase}, ${fleet}` : `phases ${phase} to ${until} on one running system`;
  const more = [
    sessions && `sessions in ${sessions === 'cookie' ? 'a cookie' : sessions}`,
    BALANCE[balance],
    layer === 4 && 'layer 4',
    shedding === false && 'no load shedding',
    cache === false && 'no cache',
  ].filter((one) => typeof one === 'string');
  return [phases, ...more, `${load.rps} requests/s for ${load.seconds} s${shape[load.profile]}`].join(', ');
}

/** Unit that the balancer distributes. */
export function balancedUnit({ layer = 7 }: Scenario): string {
  return layer === 4 ? 'connections' : 'requests';
}

export function failureCount({ refused, failed, wrong }: Counts): number {
  return refused + failed + wrong;
}

/** Hit ratio of the catalogue caches; undefined without responses. */
export function cacheHits(sources: Readonly<Record<Source, number>>): number | undefined {
  const { edge, cache, database } = sources;
  const all = edge + cache + database;
  return all === 0 ? undefined : (edge + cache) / all;
}

export function percent(share: number | undefined): string {
  return share === undefined ? '-' : `${(share * 100).toFixed(share > 0.995 && share < 1 ? 1 : 0)}%`;
}

/** Formats the result of a target. */
export function mark({ met, unjudged }: Goal): string {
  if (unjudged !== undefined) return `– not judged: ${unjudged}`;
  return met ? '✓' : '✗ missed';
}

const VERDICTS: Readonly<Record<Verdict, string>> = { passed: 'Passed', missed: 'Failed', 'not judged': 'Not judged' };

/** Formats the verdict as `Passed: all 12 targets met`. */
export function verdictLine({ verdict, reason }: Pick<Report, 'verdict' | 'reason'>): string {
  return `${VERDICTS[verdict]}: ${reason}`;
}

export function ms(value: number): string {
  return value < 10 ? value.toFixed(1) : value.toFixed(0);
}

/** Returns explanations of the results, examples of losses, and notes of the topology. */
export function remarks(report: Report): string[] {
  const { audit, notes } = report;
  const found = [lossRemark(report), collapseRemark(report), generatorRemark(report)].filter(
    (one) => one !== undefined,
  );
  return [...found, ...audit.examples, ...notes];
}

/** Explains losses with sessions in memory. */
function lossRemark({ scenario, audit }: Report): string | undefined {
  if (scenario.sessions !== 'memory' || audit.logIns.lost + audit.cartItems.lost === 0) return undefined;
  return (
    'Each session existed only in the memory of one server. Visitors lost their login when that server died or another one ' +
    'served them; visitors without an account also lost their cart. Orders and the carts of customers are in the database. ' +
    'With `--sessions redis` or `--sessions cookie`, nothing is lost.'
  );
}

/** Explains the collapse of an overloaded shop without load shedding. */
function collapseRemark({ scenario, seconds }: Report): string | undefined {
  if (!scenario.overload || scenario.shedding !== false) return undefined;
  const inService = seconds.map((second) => second.inService);
  const out = Math.max(...inService) - Math.min(...inService);
  const cascade = `Health checks timed out too: up to ${out} servers were out of service at a time, and the others got their share. `;
  return (
    'Load shedding was off: requests queued for seconds, and many responses arrived after visitors had given up. ' +
    `${out > 0 ? cascade : ''}Without \`--no-shedding\`, the excess is refused immediately.`
  );
}

/** Reports seconds in which the generator contributed to latencies. */
function generatorRemark({ traffic }: Report): string | undefined {
  if (traffic.lateSeconds === 0) return undefined;
  return `In ${Math.round(traffic.lateSeconds)} of ${Math.ceil(traffic.seconds)} seconds, the load generator was late or saturated; their latencies include its delay.`;
}
