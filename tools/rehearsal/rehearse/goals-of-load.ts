import { CONNECTION_SHARE } from '../../../lib/constants';
import { type Part as NamedPart, peakRate, spikeParts } from '../traffic/profiles';
import { distribution } from './distribution';
import type { Findings, RehearsalSecond } from './findings';
import { type Goal, unjudgedIf } from './goal';
import { DEFAULT_RPS } from './scenario';

/** Minimum number of reads or lookups. Fewer may all follow a write, or all be cold misses. */
const MIN_SAMPLES = 20;

/** Minimum requests per server. With fewer, a single request exceeds the allowed imbalance. */
const MIN_REQUESTS_PER_SERVER = 20;

/** Maximum requests of the busiest server with round robin, as a multiple of the mean. */
const MAX_IMBALANCE = 1.05;

/** Minimum share of responses within 1 s with load shedding. */
const MIN_GOODPUT_SHARE = 0.9;

const NO_CPU_QUOTAS = 'this machine sets no CPU quotas';

type Part = Pick<NamedPart, 'from' | 'to'>;

/** Targets for load distribution, capacity and goodput. */
export function goalsOfLoad(findings: Findings): Goal[] {
  return [
    ...fleetSizeGoals(findings),
    ...overloadGoals(findings),
    ...resizeGoals(findings),
    ...distributionGoals(findings),
    ...connectionGoals(findings),
    ...replicaGoals(findings),
    ...cacheGoals(findings),
  ];
}

/** The scaling policies scale out for a peak, and in after it. */
function fleetSizeGoals({ scenario, seconds }: Findings): Goal[] {
  const { load, timeScale } = scenario;
  if (timeScale === undefined || peakRate(load) <= load.rps) return [];
  const sizes = seconds.map((second) => second.inService);
  const [first = 0, last = 0, most] = [sizes[0], sizes.at(-1), Math.max(...sizes)];
  const isLowered = scenario.rpsIsDefault === true && load.rps < DEFAULT_RPS;
  return [
    unjudgedIf(isLowered && most <= first, 'the lowered rate needs no more servers', {
      name: 'servers in service: start, peak, end',
      measured: `${first}, ${most}, ${last}`,
      goal: 'scales out for the peak, and in after it',
      met: most > first && last < most,
    }),
  ];
}

function overloadGoals({ scenario, seconds, unconfined }: Findings): Goal[] {
  if (!scenario.overload) return [];
  const quota = (goal: Goal) => unjudgedIf(unconfined === true, NO_CPU_QUOTAS, goal);
  const [before, peak] = spikeParts(scenario.load);
  const [usual, most] = [goodput(seconds, before), goodput(seconds, peak)];
  const given = mean(seconds, peak, ({ counts }) => counts.ok);
  const inTime = given === 0 ? 0 : most / given;
  const share = { name: 'responses within 1 s at the peak', measured: `${(inTime * 100).toFixed(0)}%` };
  if (scenario.shedding === false) {
    const goal = `less than ${MIN_GOODPUT_SHARE * 100}%: load shedding is off`;
    return [quota({ ...share, goal, met: inTime < MIN_GOODPUT_SHARE })];
  }
  return [
    quota({ ...share, goal: `at least ${MIN_GOODPUT_SHARE * 100}%`, met: inTime >= MIN_GOODPUT_SHARE }),
    quota({
      name: 'goodput: before, at the peak',
      measured: `${usual.toFixed(0)}/s, ${most.toFixed(0)}/s`,
      goal: 'no lower at the peak',
      met: most >= usual,
    }),
  ];
}

/** A larger instance has a higher goodput than before. */
function resizeGoals({ scenario, fired, seconds, unconfined }: Findings): Goal[] {
  return fired.flatMap(({ at, action }): Goal[] => {
    if (action.kind !== 'resize' || scenario.vcpu === undefined || action.vcpu <= scenario.vcpu) return [];
    const end = seconds.at(-1)?.at ?? 0;
    const before = goodput(seconds, { from: 0, to: at });
    // The restart takes longer on a slow machine.
    const back = Math.max(at, ...seconds.filter((second) => second.inService === 0).map((second) => second.at));
    const after = goodput(seconds, { from: Math.max(back, end - (end - at) / 3), to: end });
    const measured: Goal = {
      name: `goodput: ${scenario.vcpu} vCPU, ${action.vcpu} vCPU`,
      measured: `${before.toFixed(0)}/s, ${after.toFixed(0)}/s`,
      goal: 'higher with more vCPU',
      met: after > before,
    };
    return [
      unjudgedIf(
        end - back < 2,
        'the instance was not back in service',
        unjudgedIf(unconfined === true, NO_CPU_QUOTAS, measured),
      ),
    ];
  });
}

function distributionGoals(findings: Findings): Goal[] {
  const { balance = 'roundrobin', layer = 7, maxInFlight } = findings.scenario;
  const found = distribution(findings);
  if (found === undefined) return [];
  const goals: Goal[] = [];
  if (balance === 'source') {
    goals.push(
      unjudgedIf(found.mean < MIN_REQUESTS_PER_SERVER, 'too few requests to reach every server', {
        name: 'requests to the least busy server',
        measured: String(found.fewest),
        goal: 'more than 0',
        met: found.fewest > 0,
      }),
    );
  }
  // With a limit of requests in flight, full servers are skipped.
  if (balance === 'roundrobin' && layer === 7 && maxInFlight === undefined) {
    goals.push(
      unjudgedIf(
        found.mean < MIN_REQUESTS_PER_SERVER,
        `${found.mean.toFixed(0)} requests per server are too few to compare`,
        {
          name: 'requests to the busiest server, relative to the mean',
          measured: `${found.busiest.toFixed(2)}x`,
          goal: `at most ${MAX_IMBALANCE.toFixed(2)}x`,
          met: found.busiest <= MAX_IMBALANCE,
        },
      ),
    );
  }
  if (balance === 'sticky') {
    const { moved } = findings.traffic.visitors;
    goals.push({
      name: 'visitors moved to another server',
      measured: String(moved),
      goal: '0',
      met: moved === 0,
    });
  }
  return goals;
}

function connectionGoals({ seconds }: Findings): Goal[] {
  const limit = seconds[0]?.connections.limit ?? 0;
  const most = Math.max(0, ...seconds.map((second) => second.connections.primary));
  const bound = limit * CONNECTION_SHARE;
  return [
    unjudgedIf(most === 0, 'no connections were observed', {
      name: 'peak connections to the primary',
      measured: `${most} of ${limit}`,
      goal: `at most ${bound}`,
      met: most <= bound,
      definite: true,
    }),
  ];
}

/** Replicas serve reads, and read-your-writes consistency holds. */
function replicaGoals({ scenario, seconds, audit, traffic }: Findings): Goal[] {
  const { phase, until = phase, replicas = 2, sessions } = scenario;
  if (until < 3 || replicas === 0) return [];
  const readsOf = (part: readonly RehearsalSecond[]) => {
    const byReplicas = sum(part.map(({ queries }) => queries.replicas));
    return { byReplicas, all: byReplicas + sum(part.map(({ queries }) => queries.primary - queries.writes)) };
  };
  const last = readsOf(seconds.slice(-10));
  const isFew = last.all < MIN_SAMPLES;
  const { byReplicas, all } = isFew ? readsOf(seconds) : last;
  const stale = unjudgedIf(audit.staleReads === 0 && audit.cartItems.acknowledged === 0, 'no writes were confirmed', {
    name: 'read-your-writes violations',
    measured: `${audit.staleReads} of ${traffic.due} requests`,
    goal: '0',
    met: audit.staleReads === 0,
    definite: true,
  });
  const tooFew = `${all.toFixed(0)} reads are too few: visitors read from the primary after a write`;
  const used = unjudgedIf(isFew && byReplicas === 0, tooFew, {
    name: isFew ? 'reads served by replicas' : 'reads served by replicas in the last 10 s',
    measured: `${((100 * byReplicas) / Math.max(1, all)).toFixed(0)}%`,
    goal: 'more than 0',
    met: byReplicas > 0,
  });
  // A session lost with a server's memory is not a stale read.
  return [used, ...(sessions === 'memory' ? [] : [stale])];
}

/** Caches have hits. Without this target, a broken cache would go unnoticed. */
function cacheGoals({ scenario, traffic, edge }: Findings): Goal[] {
  const { phase, until = phase, cache } = scenario;
  const all = sum(Object.values(traffic.sources));
  const hits = all - traffic.sources.database;
  const goals: Goal[] = [];
  if (cache !== false) {
    goals.push(
      unjudgedIf(all < MIN_SAMPLES, `${all} catalogue responses are too few`, {
        name: 'catalogue responses from a cache',
        measured: `${hits} of ${all}`,
        goal: 'more than 0',
        met: hits > 0,
      }),
    );
  }
  if (until >= 4) {
    const { lookups, hits: atEdge } = edge ?? { lookups: 0, hits: 0 };
    goals.push(
      unjudgedIf(lookups < MIN_SAMPLES, `${lookups} edge cache lookups are too few`, {
        name: 'edge cache hits',
        measured: `${atEdge} of ${lookups}`,
        goal: 'more than 0',
        met: atEdge > 0,
      }),
    );
  }
  return goals;
}

/** Returns the mean number of responses within 1 s, per second. */
export function goodput(seconds: readonly RehearsalSecond[], part: Part): number {
  return mean(seconds, part, ({ inTime }) => inTime);
}

/** Returns the mean over the seconds that lie entirely in a part of the time. */
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
