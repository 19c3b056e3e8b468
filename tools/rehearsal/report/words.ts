import type { Report } from '../rehearse/findings';
import type { Goal } from '../rehearse/goal';
import { defaultServers, type Scenario } from '../rehearse/scenario';
import type { Counts, Source } from '../traffic/messages';

const BALANCE = {
  roundrobin: undefined,
  leastconn: 'least connections',
  source: 'a server by the address',
  sticky: 'sticky',
} as const;

/** `phase 3, 5 servers, 400 requests/s for 30 s`, and what is not as usual. */
export function title({ phase, until, servers = defaultServers(phase), load, ...unusual }: Scenario): string {
  const { vcpu, sessions, balance = 'roundrobin', layer = 7, shedding, cache } = unusual;
  const shape = { steady: '', ramp: ', ramp', spike: `, spike of ${load.factor}x`, 'black-friday': ', black Friday' };
  const fleet = `${servers} ${servers === 1 ? 'server' : 'servers'}${vcpu === undefined ? '' : ` of ${vcpu} vCPU`}`;
  const phases = until === undefined ? `phase ${phase}, ${fleet}` : `phases ${phase} to ${until} on one running system`;
  const more = [
    sessions && `sessions in ${sessions === 'cookie' ? 'a cookie' : sessions}`,
    BALANCE[balance],
    layer === 4 && 'layer 4',
    shedding === false && 'nothing is refused',
    cache === false && 'no cache',
  ].filter((one) => typeof one === 'string');
  return [phases, ...more, `${load.rps} requests/s for ${load.seconds} s${shape[load.profile]}`].join(', ');
}

/** What a balancer of that layer counts. */
export function balanced({ layer = 7 }: Scenario): string {
  return layer === 4 ? 'connections' : 'requests';
}

export function notOk({ refused, failed, wrong }: Counts): number {
  return refused + failed + wrong;
}

/** Share of answers about the catalogue that reached no database; undefined when there were none. */
export function cacheHits(sources: Readonly<Record<Source, number>>): number | undefined {
  const { edge, cache, database } = sources;
  const all = edge + cache + database;
  return all === 0 ? undefined : (edge + cache) / all;
}

export function percent(share: number | undefined): string {
  return share === undefined ? '-' : `${(share * 100).toFixed(share > 0.995 && share < 1 ? 1 : 0)}%`;
}

/** What stands beside a target. */
export function mark({ met, unjudged }: Goal): string {
  if (unjudged !== undefined) return `– not judged: ${unjudged}`;
  return met ? '✓' : '✗ missed';
}

/** `Passed: all 12 targets met.` */
export function verdictLine({ verdict, reason }: Pick<Report, 'verdict' | 'reason'>): string {
  return `${verdict[0]?.toUpperCase()}${verdict.slice(1)}: ${reason}`;
}

export function ms(value: number): string {
  return value < 10 ? value.toFixed(1) : value.toFixed(0);
}

/** What a reader should know beside the figures. */
export function remarks(report: Report): string[] {
  const { audit, notes } = report;
  const found = [whyLost(report), whyCollapsed(report), whoWasSlow(report)].filter((one) => one !== undefined);
  return [...found, ...audit.examples, ...notes];
}

/** Why something was lost, where the scenario says it; else nothing. */
function whyLost({ scenario, audit }: Report): string | undefined {
  if (scenario.sessions !== 'memory' || audit.logIns.lost + audit.cartItems.lost === 0) return undefined;
  return (
    'Sessions were kept in the memory of the server that began them: what died with it, or went to another server, is gone, ' +
    'and the carts of visitors without an account with it. Orders and the carts of customers are rows in the database. ' +
    '`--sessions redis` or `--sessions cookie` loses nothing.'
  );
}

/** Why an overloaded shop answers less than before, where nothing was refused. */
function whyCollapsed({ scenario, seconds }: Report): string | undefined {
  if (!scenario.overload || scenario.shedding !== false) return undefined;
  const inService = seconds.map((second) => second.inService);
  const out = Math.max(...inService) - Math.min(...inService);
  const cascade = `Health checks waited as well: up to ${out} servers were taken out at a time, and the others got their share. `;
  return (
    'Nothing was refused: requests waited for seconds, and many answers came too late to be of use. ' +
    `${out > 0 ? cascade : ''}Without \`--no-shedding\`, the excess is refused at once.`
  );
}

/** Whether the generator, and not the shop, was slow at times. */
function whoWasSlow({ traffic }: Report): string | undefined {
  if (traffic.lateSeconds === 0) return undefined;
  return `In ${Math.round(traffic.lateSeconds)} of ${Math.ceil(traffic.seconds)} seconds the generator itself was late or busy: latencies of these seconds are partly its own.`;
}
