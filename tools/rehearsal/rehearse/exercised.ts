import type { ServerSnapshot } from '../topology/snapshot';
import type { Findings, Fired } from './findings';
import { type Goal, unjudged } from './goal';

/**
 * Targets that each action had an effect to observe: killing a server before its first request loses nothing, nor does a phase
 * that serves nothing. Each phase has a target; other actions have one only if they had no effect.
 */
export function exercisedGoals(findings: Findings): Goal[] {
  const { scenario, fired } = findings;
  const skipped = scenario.steps
    .filter(({ action }) => action.kind !== 'next-phase' && !fired.some((one) => one.action === action))
    .map(({ at, action }) => ({ name: `${action.kind} at ${at.toFixed(0)} s`, why: 'was not executed' }));
  const idle = fired.flatMap((one) => {
    const why = whyNotExercised(findings, one);
    return why === undefined ? [] : [{ name: `${one.action.kind} at ${one.at.toFixed(0)} s`, why }];
  });
  const rows = [...skipped, ...idle].map(({ name, why }) =>
    unjudged({ name, measured: why, goal: 'exercised', met: false }, `${name}: ${why}`),
  );
  return [...phaseGoals(findings), ...rows];
}

/** One target per later phase of an evolution. */
function phaseGoals({ scenario, fired, served = [] }: Findings): Goal[] {
  const steps = fired.filter(({ action }) => action.kind === 'next-phase').length;
  const last = Math.max(scenario.until ?? scenario.phase, scenario.phase + steps);
  return Array.from({ length: last - scenario.phase }, (_, index): Goal => {
    const phase = scenario.phase + index + 1;
    const found = served.find((one) => one.phase === phase);
    const answered = found?.answered ?? 0;
    return {
      name: answered > 0 ? `phase ${phase} was exercised` : `phase ${phase} was not exercised`,
      measured: `${answered} requests served by its own servers`,
      goal: 'more than 0',
      met: answered > 0,
      // If it never served, the machine may have been too busy to start it.
      ...(found && { definite: true }),
    };
  });
}

function whyNotExercised(findings: Findings, { at, action, before }: Fired): string | undefined {
  const { seconds, servers } = findings;
  const earlier = before.servers.filter(({ state }) => state === 'in-service');
  const requestsBefore = (of: readonly ServerSnapshot[]) => {
    if (of.some(({ counted }) => counted)) return of.reduce((sum, { requests }) => sum + requests, 0);
    return seconds.filter((second) => second.at <= at + 1).reduce((sum, { counts }) => sum + counts.ok, 0);
  };
  const later = seconds.filter((second) => second.at > at);
  if (action.kind === 'traffic' || action.kind === 'next-phase') return undefined;
  if (!later.some(({ due }) => due > 0)) return 'no requests followed';
  switch (action.kind) {
    case 'kill-servers':
    case 'stop-servers':
    case 'spot-notice': {
      const named = earlier.filter(({ name }) => name === action.server);
      const chosen = [...named, ...earlier.filter((server) => !named.includes(server))].slice(0, action.count);
      if (requestsBefore(chosen) === 0) return 'its servers had served no requests';
      if (action.kind === 'kill-servers') return undefined;
      const left = earlier.filter(({ name }) => servers.find((one) => one.name === name)?.state === 'terminated');
      return left.length < action.count ? 'its servers had not terminated when the traffic ended' : undefined;
    }
    case 'kill-zone': {
      const fallen = earlier.filter(({ zone }) => zone === action.zone);
      return requestsBefore(fallen) === 0 ? 'servers of the zone had served no requests' : undefined;
    }
    case 'kill-replica':
    case 'lag': {
      const reads = seconds.filter((second) => second.at <= at + 1).some(({ queries }) => queries.replicas > 0);
      return reads ? undefined : 'replicas had served no reads';
    }
    case 'deploy':
      return isDeployed(servers, earlier)
        ? undefined
        : 'the new version was not on every server when the traffic ended';
    case 'scale':
      return later.some(({ inService }) => inService === action.servers)
        ? undefined
        : `${action.servers} servers were never in service during the traffic`;
    default:
      return undefined;
  }
}

/** Whether all servers run a new version and, behind a balancer, have received requests. */
function isDeployed(servers: readonly ServerSnapshot[], before: readonly ServerSnapshot[]): boolean {
  const old = new Set(before.map(({ version }) => version));
  const now = servers.filter(({ state }) => state !== 'terminated');
  const used = now.some(({ counted, requests }) => !counted || requests > 0);
  return used && now.every(({ version }) => !old.has(version));
}
