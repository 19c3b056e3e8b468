import { CONNECTION_SHARE } from '../../../lib/constants';
import { type Part as NamedPart, peakRate, spikeParts } from '../traffic/profiles';
import { distribution } from './distribution';
import type { Findings, RehearsalSecond } from './findings';
import { type Goal, unless } from './goal';

/** So few reads may all be of visitors who have just written, or be the first of their kind. */
const FEW = 20;

/** So few requests a server that one more than the others is a share of them. */
const FEW_OF_A_SERVER = 20;

/** With requests in turn, how much more than the mean the busiest server may have got. */
const EVEN = 1.05;

/** Share of its answers that a shop which refuses the excess gives in time. */
const PUNCTUAL = 0.9;

const NO_QUOTA = 'this machine sets no CPU quotas';

type Part = Pick<NamedPart, 'from' | 'to'>;

/** What must be seen of how load is spread, and of how much of it is answered. */
export function goalsOfLoad(findings: Findings): Goal[] {
  return [
    ...sizes(findings),
    ...overload(findings),
    ...resized(findings),
    ...spread(findings),
    ...connections(findings),
    ...replicas(findings),
    ...caches(findings),
  ];
}

/** Policies that size the fleet: out in time for a rise, and in again after it. */
function sizes({ scenario, seconds }: Findings): Goal[] {
  const { load, timeScale } = scenario;
  if (timeScale === undefined || peakRate(load) <= load.rps) return [];
  const sizes = seconds.map((second) => second.inService);
  const [first = 0, last = 0, most] = [sizes[0], sizes.at(-1), Math.max(...sizes)];
  return [
    {
      name: 'servers in service: before, most, at the end',
      measured: `${first}, ${most}, ${last}`,
      goal: 'more in the rise, and fewer again after it',
      met: most > first && last < most,
    },
  ];
}

function overload({ scenario, seconds, unconfined }: Findings): Goal[] {
  if (!scenario.overload) return [];
  const quota = (goal: Goal) => unless(unconfined === true, NO_QUOTA, goal);
  const [before, top] = spikeParts(scenario.load);
  const [usual, most] = [goodput(seconds, before), goodput(seconds, top)];
  const given = mean(seconds, top, ({ counts }) => counts.ok);
  const inTime = given === 0 ? 0 : most / given;
  const share = { name: 'answers at the top that came within a second', measured: `${(inTime * 100).toFixed(0)}%` };
  if (scenario.shedding === false) {
    const goal = `less than ${PUNCTUAL * 100}%: nothing is refused, to show what that does`;
    return [quota({ ...share, goal, met: inTime < PUNCTUAL })];
  }
  return [
    quota({ ...share, goal: `at least ${PUNCTUAL * 100}%`, met: inTime >= PUNCTUAL }),
    quota({
      name: 'answered within a second: before, at the top',
      measured: `${usual.toFixed(0)}/s, ${most.toFixed(0)}/s`,
      goal: 'no fewer at the top',
      met: most >= usual,
    }),
  ];
}

/** A bigger box is for more traffic: from what there was before to what there is at the end. */
function resized({ scenario, fired, seconds, unconfined }: Findings): Goal[] {
  return fired.flatMap(({ at, action }): Goal[] => {
    if (action.kind !== 'resize' || scenario.vcpu === undefined || action.vcpu <= scenario.vcpu) return [];
    const end = seconds.at(-1)?.at ?? 0;
    const before = goodput(seconds, { from: 0, to: at });
    // A slow machine takes longer to start the box again.
    const back = Math.max(at, ...seconds.filter((second) => second.inService === 0).map((second) => second.at));
    const after = goodput(seconds, { from: Math.max(back, end - (end - at) / 3), to: end });
    const measured: Goal = {
      name: `answered within a second, by ${scenario.vcpu} and by ${action.vcpu} vCPU`,
      measured: `${before.toFixed(0)}/s, ${after.toFixed(0)}/s`,
      goal: 'more by more',
      met: after > before,
    };
    return [unless(end - back < 2, 'the box was not back', unless(unconfined === true, NO_QUOTA, measured))];
  });
}

function spread(findings: Findings): Goal[] {
  const { balance = 'roundrobin', layer = 7, maxInFlight } = findings.scenario;
  const found = distribution(findings);
  if (found === undefined) return [];
  const goals: Goal[] = [];
  if (balance === 'source') {
    goals.push(
      unless(found.mean < FEW_OF_A_SERVER, 'too few requests for every server to have one', {
        name: 'requests of the server with the fewest',
        measured: String(found.fewest),
        goal: 'more than 0',
        met: found.fewest > 0,
      }),
    );
  }
  // With a bound, it is the turn of whoever has room.
  if (balance === 'roundrobin' && layer === 7 && maxInFlight === undefined) {
    goals.push(
      unless(found.mean < FEW_OF_A_SERVER, `${found.mean.toFixed(0)} requests of a server are too few to compare`, {
        name: 'requests of the busiest server, of the mean',
        measured: `${found.busiest.toFixed(2)} times`,
        goal: `at most ${EVEN.toFixed(2)} times`,
        met: found.busiest <= EVEN,
      }),
    );
  }
  if (balance === 'sticky') {
    const { moved } = findings.traffic.visitors;
    goals.push({
      name: 'visitors who were sent to another server',
      measured: String(moved),
      goal: '0',
      met: moved === 0,
    });
  }
  return goals;
}

function connections({ seconds }: Findings): Goal[] {
  const limit = seconds[0]?.connections.limit ?? 0;
  const most = Math.max(0, ...seconds.map((second) => second.connections.primary));
  const bound = limit * CONNECTION_SHARE;
  return [
    unless(most === 0, 'no connections were seen', {
      name: 'connections to the primary, at most',
      measured: `${most} of ${limit}`,
      goal: `at most ${bound}`,
      met: most <= bound,
      definite: true,
    }),
  ];
}

/** Reads go to replicas, and never show less than their reader wrote. */
function replicas({ scenario, seconds, audit, traffic }: Findings): Goal[] {
  const { phase, until = phase, replicas = 2, sessions } = scenario;
  if (until < 3 || replicas === 0) return [];
  const readsOf = (part: readonly RehearsalSecond[]) => {
    const byReplicas = sum(part.map(({ queries }) => queries.replicas));
    return { byReplicas, all: byReplicas + sum(part.map(({ queries }) => queries.primary - queries.writes)) };
  };
  const last = readsOf(seconds.slice(-10));
  const isFew = last.all < FEW;
  const { byReplicas, all } = isFew ? readsOf(seconds) : last;
  const stale = unless(audit.staleReads === 0 && audit.cartItems.acknowledged === 0, 'no writes were confirmed', {
    name: "reads that showed less than one's own writes",
    measured: `${audit.staleReads} of ${traffic.due} requests`,
    goal: '0',
    met: audit.staleReads === 0,
    definite: true,
  });
  const tooFew = `${all.toFixed(0)} reads are too few: their visitors may just have written`;
  const used = unless(isFew && byReplicas === 0, tooFew, {
    name: isFew ? 'reads that replicas answered' : 'reads of the last 10 s that replicas answered',
    measured: `${((100 * byReplicas) / Math.max(1, all)).toFixed(0)}%`,
    goal: 'more than 0',
    met: byReplicas > 0,
  });
  // What was lost with a server's memory is no stale read.
  return [used, ...(sessions === 'memory' ? [] : [stale])];
}

/** Caches that answer nothing fail nothing either: the database then carries what they are there for. */
function caches({ scenario, traffic, edge }: Findings): Goal[] {
  const { phase, until = phase, cache } = scenario;
  const all = sum(Object.values(traffic.sources));
  const hits = all - traffic.sources.database;
  const goals: Goal[] = [];
  if (cache !== false) {
    goals.push(
      unless(all < FEW, `${all} answers about the catalogue are too few`, {
        name: 'answers about the catalogue that reached no database',
        measured: `${hits} of ${all}`,
        goal: 'more than 0',
        met: hits > 0,
      }),
    );
  }
  if (until >= 4) {
    const { lookups, hits: atEdge } = edge ?? { lookups: 0, hits: 0 };
    goals.push(
      unless(lookups < FEW, `${lookups} look-ups of the edge are too few`, {
        name: 'look-ups that the edge answered from its cache',
        measured: `${atEdge} of ${lookups}`,
        goal: 'more than 0',
        met: atEdge > 0,
      }),
    );
  }
  return goals;
}

/** Answers within a second, on average of a part of the time. */
export function goodput(seconds: readonly RehearsalSecond[], part: Part): number {
  return mean(seconds, part, ({ inTime }) => inTime);
}

/** Of the seconds that lie wholly in a part of the time. */
export function mean(
  seconds: readonly RehearsalSecond[],
  { from, to }: Part,
  of: (second: RehearsalSecond) => number,
): number {
  const within = seconds.filter(({ at }) => at - 1 >= from - 0.2 && at <= to + 0.2);
  return within.reduce((sum, second) => sum + of(second), 0) / Math.max(1, within.length);
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
