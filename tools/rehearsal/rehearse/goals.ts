import { HEALTH_INTERVAL, HEALTH_UNHEALTHY_COUNT } from '../../../lib/constants';
import type { ServerSnapshot, Snapshot } from '../topology/snapshot';
import type { Kind, Promised } from '../traffic/messages';
import { peakRate, rateAt } from '../traffic/profiles';
import { exercises } from './exercised';
import type { Findings, Fired, RehearsalSecond } from './findings';
import { type Goal, unless } from './goal';
import { goalsOfLoad, sum } from './goals-of-load';
import type { Action } from './scenario';

/** Seconds from the beginning of a fault until visitors notice nothing any more; a part that is away for longer adds to it. */
const BACK_WITHIN = 30;
const USUAL_ABSENCE = 5;
const FAILOVER = 10;

/** Seconds for which writes may be paused on the way through the phases. */
const PAUSED_WITHIN = 10;

/** Milliseconds in which a request that cannot be served now is refused. */
const REFUSED_WITHIN = 250;

/** With these, the store of sessions is away for a while. */
const STORE_LOST: ReadonlySet<Action['kind']> = new Set(['kill-redis', 'demote-redis', 'kill-zone']);

/** What a request needs no session for. */
const WITHOUT_SESSION: readonly Kind[] = ['page', 'catalogue', 'static'];

/** What a rehearsal must show, by what happened in it. */
export function goalsOf(findings: Findings): Goal[] {
  return [
    ...exercises(findings),
    ...promises(findings),
    ...failures(findings),
    ...recoveries(findings),
    ...withoutSession(findings),
    ...refusals(findings),
    ...evolution(findings),
    ...goalsOfLoad(findings),
  ];
}

function promises({ scenario, audit }: Findings): Goal[] {
  const kept = (name: string, { acknowledged, lost }: Promised): Goal =>
    unless(acknowledged === 0 && lost === 0, `no ${name} were confirmed`, {
      name: `${name} lost`,
      measured: `${lost} of ${acknowledged} acknowledged`,
      goal: '0',
      met: lost === 0,
      definite: true,
    });
  const { cartItems, logIns, orders } = audit;
  const noOrders = orders.acknowledged === 0;
  const noItems = cartItems.acknowledged === 0;
  const none = (name: string, measured: number, nothing: boolean): Goal =>
    unless(nothing && measured === 0, 'no orders were confirmed', {
      name,
      measured: String(measured),
      goal: '0',
      met: measured === 0,
    });
  const sessions: Goal =
    scenario.sessions === 'memory'
      ? unless(cartItems.acknowledged + logIns.acknowledged === 0, 'no cart items and log-ins were confirmed', {
          name: 'lost with the memory of servers',
          measured: `${cartItems.lost} of ${cartItems.acknowledged} cart items, ${logIns.lost} of ${logIns.acknowledged} log-ins`,
          goal: 'more than 0: this store is here to show it',
          met: cartItems.lost + logIns.lost > 0,
        })
      : kept('log-ins', logIns);
  return [
    kept('orders', orders),
    ...(scenario.sessions === 'memory' ? [] : [kept('cart items', cartItems)]),
    sessions,
    { ...none('unrequested orders and cart items', audit.unasked, noOrders && noItems), definite: true },
    { ...none('products whose stock and sales do not add up', audit.stockErrors, noOrders), definite: true },
    none('orders without a receipt at the end', audit.receiptsWaiting, noOrders),
  ];
}

/** What may fail: nothing, unless something was killed, and then what was on its way there until a health check acts. */
function failures(findings: Findings): Goal[] {
  const { counts } = findings.traffic;
  const { load, sessions } = findings.scenario;
  // With a memory that is gone, at several times the usual rate, or up to the wall, failures are what the rehearsal shows.
  if (sessions === 'memory' || peakRate(load) > load.rps || load.profile === 'ramp') return [];
  const bounds = findings.fired.map((fired) => bound(findings, fired));
  if (bounds.includes(undefined)) return [];
  const allowed = sum(bounds as number[]);
  const failures = failed(counts);
  return [
    unless(counts.ok + failures === 0, 'no requests were sent', {
      name: 'failed requests',
      measured: `${failures} of ${findings.traffic.due}`,
      goal: allowed === 0 ? '0' : atMost(allowed),
      met: failures <= allowed,
    }),
  ];
}

/** Requests that may fail by a fault; undefined where that is not known beforehand. */
function bound(findings: Findings, { at, action, before }: Fired): number | undefined {
  switch (action.kind) {
    case 'stop-servers':
    case 'spot-notice':
    case 'deploy':
    case 'scale':
    case 'lag':
    case 'kill-workers':
      return 0;
    case 'kill-servers':
      return killed(findings, at, inService(before), action.count);
    default:
      return undefined;
  }
}

/** In flight, and the share of the traffic that goes to the dead until the health check acts. */
function killed(
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
    // A dead server refuses at once, and so has the fewest requests in flight.
    leastconn: 1,
    source: busiest,
    sticky: busiest,
  }[scenario.balance ?? 'roundrobin'];
  const around = seconds.filter((second) => second.at > at - 1 && second.at < at + 2);
  const inFlight = Math.max(0, ...around.map((second) => second.inFlight));
  return Math.ceil(inFlight + rateAt(scenario.load, at) * share * HEALTH_INTERVAL * HEALTH_UNHEALTHY_COUNT);
}

/** Faults that end by themselves: when visitors noticed nothing any more. */
function recoveries(findings: Findings): Goal[] {
  const { scenario, fired, seconds } = findings;
  return fired.flatMap(({ at, action }, index): Goal[] => {
    const next = fired[index + 1]?.at ?? Number.POSITIVE_INFINITY;
    const last = Math.max(at, ...seconds.filter((second) => isAfter(second, at, next) && isBad(second)).map(endOf));
    const took = last - at;
    const over = last < (seconds.at(-1)?.at ?? 0) - 1;
    const measured = over ? `${took.toFixed(0)} s` : `${took.toFixed(0)} s, and not over when visitors left`;
    // Without requests after it, there is nothing that could have failed.
    const unseen = !seconds.some((second) => second.at > at + 1 && second.due > 0);
    const seen = (goal: Goal) => unless(unseen, 'no requests came after it', goal);
    const outage = seen({
      name: `${action.kind}: outage`,
      measured,
      goal: 'that it ends: no other server stands in',
      met: over,
    });
    const back = (absence: number): Goal => {
      const within = BACK_WITHIN + Math.max(0, absence - USUAL_ABSENCE);
      return seen({
        name: `${action.kind}: until the last failure`,
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
        // Whatever held data in that zone fails over, which takes longer than a health check.
        return [back(FAILOVER)];
      case 'kill-servers':
      case 'resize':
        return [scenario.phase <= 2 ? outage : back(USUAL_ABSENCE)];
      default:
        return [];
    }
  });
}

/** Where the store of sessions went, or a zone with its primaries, what needs no session is answered all the same. */
function withoutSession(findings: Findings): Goal[] {
  const { fired, traffic } = findings;
  if (!fired.some(({ action }) => STORE_LOST.has(action.kind))) return [];
  const bounds = fired.map((one) => boundOfPages(findings, one));
  if (bounds.includes(undefined)) return [];
  const allowed = sum(bounds as number[]);
  const failures = sum(WITHOUT_SESSION.map((kind) => failed(traffic.byKind[kind].counts)));
  return [
    {
      name: 'failed requests that need no session',
      measured: String(failures),
      goal: allowed === 0 ? '0' : atMost(allowed),
      met: failures <= allowed,
    },
  ];
}

function boundOfPages(findings: Findings, fired: Fired): number | undefined {
  const { at, action, before } = fired;
  if (action.kind === 'kill-redis' || action.kind === 'demote-redis') return 0;
  if (action.kind !== 'kill-zone') return bound(findings, fired);
  const servers = inService(before);
  return killed(findings, at, servers, servers.filter(({ zone }) => zone === action.zone).length);
}

/** A store that is away costs milliseconds; other things that fail may take their time. */
function refusals({ scenario, fired, traffic: { counts, failureLatency } }: Findings): Goal[] {
  const kinds = fired.map(({ action }) => action.kind);
  if (kinds.length === 0 || !kinds.every((kind) => kind === 'kill-redis' || kind === 'demote-redis')) return [];
  const nothing = failed(counts) === 0;
  // Where sessions are elsewhere, it is good news that nothing is refused.
  if (nothing && (scenario.sessions ?? 'redis') !== 'redis') return [];
  return [
    unless(nothing, 'no requests were refused', {
      name: 'refusals: 99th percentile of the wait',
      measured: `${failureLatency.p99.toFixed(0)} ms`,
      goal: `at most ${REFUSED_WITHIN} ms`,
      met: failureLatency.p99 <= REFUSED_WITHIN,
    }),
  ];
}

function atMost(bound: number): string {
  return `at most ${bound}: in flight, and until the health check acts`;
}

function inService({ servers }: Snapshot): readonly ServerSnapshot[] {
  return servers.filter(({ state }) => state === 'in-service');
}

/** Writes wait while data moves; to visitors that is a time in which some of their requests fail. */
function evolution({ scenario, seconds }: Findings): Goal[] {
  if (scenario.until === undefined) return [];
  const bad = sum(seconds.map((second, index) => (isBad(second) ? second.at - (seconds[index - 1]?.at ?? 0) : 0)));
  return [
    {
      name: 'time with failed requests, in all',
      measured: `${bad.toFixed(0)} s`,
      goal: `at most ${PAUSED_WITHIN} s`,
      met: bad <= PAUSED_WITHIN + 0.5,
    },
  ];
}

function failed(counts: RehearsalSecond['counts']): number {
  return counts.failed + counts.refused + counts.wrong;
}

function isBad({ counts }: RehearsalSecond): boolean {
  return failed(counts) > 0;
}

function isAfter({ at }: RehearsalSecond, from: number, to: number): boolean {
  return at > from && at <= to;
}

function endOf({ at }: RehearsalSecond): number {
  return at;
}
