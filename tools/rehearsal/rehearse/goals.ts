import { HEALTH_INTERVAL, HEALTH_UNHEALTHY_COUNT } from '../../../lib/constants';
import type { ServerSnapshot, Snapshot } from '../topology/snapshot';
import type { Kind, PromiseCount } from '../traffic/messages';
import { peakRate, rateAt } from '../traffic/profiles';
import { exercisedGoals } from './exercised';
import type { Findings, Fired, RehearsalSecond } from './findings';
import { type Goal, unjudgedIf } from './goal';
import { goalsOfLoad, sum } from './goals-of-load';
import type { Action } from './scenario';

/** Maximum seconds from a fault to the last failed request. Outages longer than {@link USUAL_OUTAGE} extend it. */
const RECOVERY_SECONDS = 30;
const USUAL_OUTAGE = 5;
const FAILOVER_SECONDS = 10;

/** Maximum seconds with failed requests during an evolution. */
const MAX_PAUSE = 10;

/** Maximum latency of refused requests in milliseconds. */
const MAX_REFUSAL_MS = 250;

/** Faults that make the session store unavailable. */
const SESSION_STORE_FAULTS: ReadonlySet<Action['kind']> = new Set(['kill-redis', 'demote-redis', 'kill-zone']);

/** Requests that need no session. */
const SESSIONLESS_KINDS: readonly Kind[] = ['page', 'catalogue', 'static'];

/** Returns the targets of a rehearsal, depending on its scenario and actions. */
export function goalsOf(findings: Findings): Goal[] {
  return [
    ...exercisedGoals(findings),
    ...dataGoals(findings),
    ...failureGoals(findings),
    ...recoveryGoals(findings),
    ...sessionlessGoals(findings),
    ...refusalGoals(findings),
    ...evolutionGoals(findings),
    ...goalsOfLoad(findings),
  ];
}

function dataGoals({ scenario, audit }: Findings): Goal[] {
  const kept = (name: string, { acknowledged, lost }: PromiseCount): Goal =>
    unjudgedIf(acknowledged === 0 && lost === 0, `no ${name} were confirmed`, {
      name: `${name} lost`,
      measured: `${lost} of ${acknowledged} confirmed`,
      goal: '0',
      met: lost === 0,
      definite: true,
    });
  const { cartItems, logIns, orders } = audit;
  const noOrders = orders.acknowledged === 0;
  const noItems = cartItems.acknowledged === 0;
  const none = (name: string, measured: number, nothing: boolean): Goal =>
    unjudgedIf(nothing && measured === 0, 'no orders were confirmed', {
      name,
      measured: String(measured),
      goal: '0',
      met: measured === 0,
    });
  const sessions: Goal =
    scenario.sessions === 'memory'
      ? unjudgedIf(cartItems.acknowledged + logIns.acknowledged === 0, 'no cart items or logins were confirmed', {
          name: 'lost with the memory of a server',
          measured: `${cartItems.lost} of ${cartItems.acknowledged} cart items, ${logIns.lost} of ${logIns.acknowledged} logins`,
          goal: 'more than 0: expected with sessions in memory',
          met: cartItems.lost + logIns.lost > 0,
        })
      : kept('logins', logIns);
  return [
    kept('orders', orders),
    ...(scenario.sessions === 'memory' ? [] : [kept('cart items', cartItems)]),
    sessions,
    { ...none('unrequested orders and cart items', audit.unasked, noOrders && noItems), definite: true },
    { ...none('products with inconsistent stock', audit.stockErrors, noOrders), definite: true },
    none('orders without a receipt at the end', audit.receiptsWaiting, noOrders),
  ];
}

/** No request may fail, except those in flight to a killed server or sent to it before its health check fails. */
function failureGoals(findings: Findings): Goal[] {
  const { counts } = findings.traffic;
  const { load, sessions } = findings.scenario;
  // Failures are expected with sessions in memory, at a peak, and on a ramp to saturation.
  if (sessions === 'memory' || peakRate(load) > load.rps || load.profile === 'ramp') return [];
  const bounds = findings.fired.map((fired) => allowedFailures(findings, fired));
  if (bounds.includes(undefined)) return [];
  const allowed = sum(bounds as number[]);
  const failures = failureSum(counts);
  return [
    unjudgedIf(counts.ok + failures === 0, 'no requests were sent', {
      name: 'failed requests',
      measured: `${failures} of ${findings.traffic.due}`,
      goal: allowed === 0 ? '0' : atMost(allowed),
      met: failures <= allowed,
    }),
  ];
}

/** Returns the number of requests that may fail because of a fault; undefined if unknown. */
function allowedFailures(findings: Findings, { at, action, before }: Fired): number | undefined {
  switch (action.kind) {
    case 'stop-servers':
    case 'spot-notice':
    case 'deploy':
    case 'scale':
    case 'lag':
    case 'kill-workers':
      return 0;
    case 'kill-servers':
      return failuresUntilHealthCheck(findings, at, inService(before), action.count);
    default:
      return undefined;
  }
}

/** Requests in flight, and requests sent to killed servers until their health checks fail. */
function failuresUntilHealthCheck(
  { scenario, seconds }: Findings,
  at: number,
  servers: readonly ServerSnapshot[],
  count: number,
): number | undefined {
  if (count >= servers.length) return undefined;
  const byRequests = servers.map(({ requests }) => requests).sort((a, b) => b - a);
  const busiest = sum(byRequests.slice(0, count)) / sum(byRequests);
  const share = {
    roundrobin: count / servers.length,
    // A dead server refuses immediately, has the fewest connections, and attracts every request.
    leastconn: 1,
    source: busiest,
    sticky: busiest,
  }[scenario.balance ?? 'roundrobin'];
  const around = seconds.filter((second) => second.at > at - 1 && second.at < at + 2);
  const inFlight = Math.max(0, ...around.map((second) => second.inFlight));
  return Math.ceil(inFlight + rateAt(scenario.load, at) * share * HEALTH_INTERVAL * HEALTH_UNHEALTHY_COUNT);
}

/** Targets for the time from a temporary fault to the last failed request. */
function recoveryGoals(findings: Findings): Goal[] {
  const { scenario, fired, seconds } = findings;
  return fired.flatMap(({ at, action }, index): Goal[] => {
    const next = fired[index + 1]?.at ?? Number.POSITIVE_INFINITY;
    const last = Math.max(
      at,
      ...seconds.filter((second) => isAfter(second, at, next) && hasFailures(second)).map(endOf),
    );
    const took = last - at;
    const over = last < (seconds.at(-1)?.at ?? 0) - 1;
    const measured = over ? `${took.toFixed(0)} s` : `${took.toFixed(0)} s, not over when the traffic ended`;
    // Without later requests, no failure could have been observed.
    const unseen = !seconds.some((second) => second.at > at + 1 && second.due > 0);
    const seen = (goal: Goal) => unjudgedIf(unseen, 'no requests followed', goal);
    const outage = seen({
      name: `${action.kind}: outage`,
      measured,
      goal: 'over before the traffic ends',
      met: over,
    });
    const back = (absence: number): Goal => {
      const within = RECOVERY_SECONDS + Math.max(0, absence - USUAL_OUTAGE);
      return seen({
        name: `${action.kind}: recovery time`,
        measured,
        goal: `at most ${within} s`,
        met: over && took <= within,
      });
    };
    switch (action.kind) {
      case 'kill-redis':
      case 'demote-redis':
      case 'kill-database':
      case 'kill-replica':
      case 'slow-network':
        return [back(action.seconds)];
      case 'kill-zone':
        // Primaries in that zone fail over, which takes longer than a health check.
        return [back(FAILOVER_SECONDS)];
      case 'kill-servers':
      case 'resize':
        return [scenario.phase <= 2 ? outage : back(USUAL_OUTAGE)];
      default:
        return [];
    }
  });
}

/** Requests that need no session succeed while the session store or a zone is down. */
function sessionlessGoals(findings: Findings): Goal[] {
  const { fired, traffic } = findings;
  if (!fired.some(({ action }) => SESSION_STORE_FAULTS.has(action.kind))) return [];
  const bounds = fired.map((one) => allowedSessionlessFailures(findings, one));
  if (bounds.includes(undefined)) return [];
  const allowed = sum(bounds as number[]);
  const failures = sum(SESSIONLESS_KINDS.map((kind) => failureSum(traffic.byKind[kind].counts)));
  return [
    {
      name: 'failed requests that need no session',
      measured: String(failures),
      goal: allowed === 0 ? '0' : atMost(allowed),
      met: failures <= allowed,
    },
  ];
}

function allowedSessionlessFailures(findings: Findings, fired: Fired): number | undefined {
  const { at, action, before } = fired;
  if (action.kind === 'kill-redis' || action.kind === 'demote-redis') return 0;
  if (action.kind !== 'kill-zone') return allowedFailures(findings, fired);
  const servers = inService(before);
  return failuresUntilHealthCheck(findings, at, servers, servers.filter(({ zone }) => zone === action.zone).length);
}

/** Requests are refused quickly while Redis is down. Other faults may time out. */
function refusalGoals({ scenario, fired, traffic: { counts, failureLatency } }: Findings): Goal[] {
  const kinds = fired.map(({ action }) => action.kind);
  if (kinds.length === 0 || !kinds.every((kind) => kind === 'kill-redis' || kind === 'demote-redis')) return [];
  const nothing = failureSum(counts) === 0;
  // With another session store, no request needs Redis.
  if (nothing && (scenario.sessions ?? 'redis') !== 'redis') return [];
  return [
    unjudgedIf(nothing, 'no requests were refused', {
      name: 'p99 latency of refused requests',
      measured: `${failureLatency.p99.toFixed(0)} ms`,
      goal: `at most ${MAX_REFUSAL_MS} ms`,
      met: failureLatency.p99 <= MAX_REFUSAL_MS,
    }),
  ];
}

function atMost(bound: number): string {
  return `at most ${bound} until the health check fails`;
}

function inService({ servers }: Snapshot): readonly ServerSnapshot[] {
  return servers.filter(({ state }) => state === 'in-service');
}

/** Writes pause while data moves, so some requests fail for a limited time. */
function evolutionGoals({ scenario, seconds }: Findings): Goal[] {
  if (scenario.until === undefined) return [];
  const bad = sum(
    seconds.map((second, index) => (hasFailures(second) ? second.at - (seconds[index - 1]?.at ?? 0) : 0)),
  );
  return [
    {
      name: 'total time with failed requests',
      measured: `${bad.toFixed(0)} s`,
      goal: `at most ${MAX_PAUSE} s`,
      met: bad <= MAX_PAUSE + 0.5,
    },
  ];
}

function failureSum(counts: RehearsalSecond['counts']): number {
  return counts.failed + counts.refused + counts.wrong;
}

function hasFailures({ counts }: RehearsalSecond): boolean {
  return failureSum(counts) > 0;
}

function isAfter({ at }: RehearsalSecond, from: number, to: number): boolean {
  return at > from && at <= to;
}

function endOf({ at }: RehearsalSecond): number {
  return at;
}
