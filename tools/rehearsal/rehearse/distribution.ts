import type { Findings } from './findings';
import type { Action } from './scenario';

/** Distribution of requests over servers that were in service throughout. */
export interface Distribution {
  /** Requests per server; connections with layer 4. */
  readonly mean: number;
  readonly fewest: number;
  readonly most: number;
  /** Maximum as a multiple of the mean. */
  readonly busiest: number;
}

/** Actions after which servers differ in time in service. */
const CHANGES: ReadonlySet<Action['kind']> = new Set([
  'kill-servers',
  'stop-servers',
  'spot-notice',
  'kill-zone',
  'deploy',
  'scale',
  'next-phase',
]);

/** Returns undefined for a single server, and if servers joined or left. */
export function distribution({
  scenario,
  fired,
  seconds,
  servers,
}: Pick<Findings, 'scenario' | 'fired' | 'seconds' | 'servers'>): Distribution | undefined {
  const fleets = new Set(seconds.map(({ inService }) => inService));
  const changed = fleets.size > 1 || fired.some(({ action }) => CHANGES.has(action.kind));
  if (changed || servers.length < 2 || scenario.phase < 3) return undefined;
  const requests = servers.map((server) => server.requests);
  const mean = requests.reduce((sum, one) => sum + one, 0) / requests.length;
  const most = Math.max(...requests);
  return { mean, fewest: Math.min(...requests), most, busiest: mean === 0 ? 1 : most / mean };
}
