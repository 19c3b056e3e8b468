import type { Findings } from './findings';
import type { Action } from './scenario';

/** How requests were spread over servers that were there all the time. */
export interface Distribution {
  /** Requests of a server; connections with layer 4. */
  readonly mean: number;
  readonly fewest: number;
  readonly most: number;
  /** Those of the busiest, as a multiple of the mean. */
  readonly busiest: number;
}

/** After these, servers have not been there equally long. */
const CHANGES: ReadonlySet<Action['kind']> = new Set([
  'kill-servers',
  'stop-servers',
  'spot-notice',
  'kill-zone',
  'deploy',
  'scale',
  'next-phase',
]);

/** Undefined for a single server, and where servers came or went. */
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
