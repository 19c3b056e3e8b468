import type { Report } from '../rehearse/findings';
import { defaultServers, type Scenario } from '../rehearse/scenario';
import type { Counts, Source } from '../traffic/messages';

/** `phase 3, 5 servers, 400 requests/s for 30 s` */
export function title({ phase, until, servers = defaultServers(phase), load }: Scenario): string {
  const shape = { steady: '', ramp: ', ramp', spike: `, spike of ${load.factor}x`, 'black-friday': ', black Friday' };
  const fleet = `${servers} ${servers === 1 ? 'server' : 'servers'}`;
  const phases = until === undefined ? `phase ${phase}, ${fleet}` : `phases ${phase} to ${until} on one running system`;
  return `${phases}, ${load.rps} requests/s for ${load.seconds} s${shape[load.profile]}`;
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

export function ms(value: number): string {
  return value < 10 ? value.toFixed(1) : value.toFixed(0);
}

/** Why something was lost, where the scenario says it; else nothing. */
export function whyLost({ scenario, audit }: Report): string | undefined {
  if (scenario.sessions !== 'memory' || audit.logIns.lost + audit.cartItems.lost === 0) return undefined;
  return (
    'Sessions were kept in the memory of the server that began them: what died with it, or went to another server, is gone, ' +
    'and the carts of visitors without an account with it. Orders and the carts of customers are rows in the database. ' +
    '`--sessions redis` or `--sessions cookie` loses nothing.'
  );
}

/** Whether the generator, and not the shop, was slow at times. */
export function whoWasSlow({ traffic }: Report): string | undefined {
  if (traffic.lateSeconds === 0) return undefined;
  return `In ${traffic.lateSeconds} of ${Math.ceil(traffic.seconds)} seconds the generator itself was late or busy: latencies of these seconds are partly its own.`;
}
