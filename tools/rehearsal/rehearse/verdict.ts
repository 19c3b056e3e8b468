import { peakRate } from '../traffic/profiles';
import { durations, isLate, isStrained, LATE_SHARE, lateShare } from '../traffic/punctuality';
import { carriedRate, rpsWithin } from './capacity';
import type { Findings, RehearsalSecond } from './findings';
import { type Goal, unjudged, type Verdict } from './goal';
import { goalsOf } from './goals';

/** Exit code 2 is bad input. */
export const EXIT_CODES: Readonly<Record<Verdict, number>> = { passed: 0, missed: 1, 'not judged': 3 };

export interface Judgment {
  readonly goals: readonly Goal[];
  readonly verdict: Verdict;
  /** Reason of the verdict in one line. */
  readonly reason: string;
}

/** Reasons for not judging a target that are limits of this machine. */
const LATE = 'the load generator was late';
const STRAINED = 'this machine had no CPU time left';
const ABOVE = 'the load exceeds what this machine carries';

/**
 * Judges a rehearsal. Targets that depend on timing are not judged if the generator was late, and failures in seconds in which
 * the machine was saturated do not miss a target. Lost data and unrequested orders are always judged.
 */
export function judge(findings: Findings): Judgment {
  const goals = excuseMachine(findings, goalsOf(findings));
  const missed = goals.filter((goal) => !goal.met && goal.unjudged === undefined);
  if (missed.length > 0) {
    const names = missed.map(({ name }) => name).join('; ');
    return { goals, verdict: 'missed', reason: `${missed.length} of ${goals.length} targets missed: ${names}` };
  }
  const open = goals.filter((goal) => goal.unjudged !== undefined);
  const byMachine = open.some((goal) => [LATE, STRAINED, ABOVE].includes(goal.unjudged as string));
  if (byMachine) {
    const phases = open.filter(({ name }) => name.startsWith('phase')).map(({ name }) => name);
    return { goals, verdict: 'not judged', reason: [...phases, suggestion(findings)].join('; ') };
  }
  if (open.length > 0) {
    const why = [...new Set(open.map((goal) => goal.unjudged))].join('; ');
    return { goals, verdict: 'not judged', reason: `${why}; try more --seconds or --rps` };
  }
  return { goals, verdict: 'passed', reason: `all ${goals.length} targets met` };
}

function isTooLate({ seconds }: Findings): boolean {
  return lateShare(seconds) > LATE_SHARE;
}

function excuseMachine(findings: Findings, goals: readonly Goal[]): Goal[] {
  if (isTooLate(findings)) return goals.map((goal) => (goal.definite ? goal : unjudged(goal, goal.unjudged ?? LATE)));
  const { scenario, carried = Number.POSITIVE_INFINITY } = findings;
  const isAbove = peakRate(scenario.load) > carried;
  const excused = goalsOf(withoutStrain(findings));
  return goals.map((goal, index) => {
    if (goal.met || goal.definite || goal.unjudged !== undefined) return goal;
    if (isAbove) return unjudged(goal, ABOVE);
    // Both lists have the same order, because the actions are the same.
    return excused[index]?.met ? unjudged(goal, STRAINED) : goal;
  });
}

/** Removes failures of seconds in which the machine was strained, and of the following seconds, in which requests complete. */
function withoutStrain(findings: Findings): Findings {
  const isExcused = ({ seconds }: Findings, index: number) =>
    [seconds[index], seconds[index - 1]].some((one) => one !== undefined && isStrained(one));
  // A slow machine does not cause wrong responses.
  const good = ({ counts }: RehearsalSecond) => ({ ...counts, refused: 0, failed: 0 });
  const seconds = findings.seconds.map((second, index) =>
    isExcused(findings, index) ? { ...second, counts: good(second) } : second,
  );
  const excused = failures(findings.seconds) - failures(seconds);
  if (excused === 0) return findings;
  const less = <T extends { readonly counts: RehearsalSecond['counts'] }>(of: T): T => {
    const { ok, refused, failed, wrong } = of.counts;
    return { ...of, counts: { ok, refused: 0, failed: Math.max(0, refused + failed - excused), wrong } };
  };
  const { traffic } = findings;
  const byKind = Object.fromEntries(Object.entries(traffic.byKind).map(([kind, one]) => [kind, less(one)]));
  const failureLatency = { p50: 0, p95: 0, p99: 0, max: 0 };
  return {
    ...findings,
    seconds,
    traffic: { ...less(traffic), byKind: byKind as typeof traffic.byKind, failureLatency },
  };
}

function failures(seconds: readonly RehearsalSecond[]): number {
  return seconds.reduce((sum, { counts }) => sum + counts.refused + counts.failed + counts.wrong, 0);
}

/** Suggests a rate that this machine carries. */
function suggestion({ scenario, seconds, carried }: Findings): string {
  const { load } = scenario;
  const peak = peakRate(load);
  // If the machine became busy after the calibration, the run itself shows its current capacity.
  const late = durations(seconds).filter(({ second }) => isLate(second));
  const answered = late.reduce((sum, { second }) => sum + second.counts.ok + second.counts.refused, 0);
  const time = late.reduce((sum, { took }) => sum + took, 0);
  const seen = time > 0 && (carried === undefined || carried >= peak) ? carriedRate(answered / time) : undefined;
  const now = Math.min(carried ?? Number.POSITIVE_INFINITY, seen ?? Number.POSITIVE_INFINITY);
  // Either other programs took the CPU time, or starting processes did.
  if (now >= peak) return `${STRAINED}; try --rps ${rpsWithin(load, peak / 2)}, or again when it is idle`;
  return `this machine carries ${now} requests/s; try --rps ${rpsWithin(load, now)}`;
}
