import { peakRate } from '../traffic/profiles';
import { durations, isLate, isStrained, LATE_SHARE, lateShare } from '../traffic/punctuality';
import { carriedRate, rpsWithin } from './capacity';
import type { Findings, RehearsalSecond } from './findings';
import { type Goal, unjudged, type Verdict } from './goal';
import { goalsOf } from './goals';

/** Bad input is 2. */
export const EXIT_CODES: Readonly<Record<Verdict, number>> = { passed: 0, missed: 1, 'not judged': 3 };

export interface Judgement {
  readonly goals: readonly Goal[];
  readonly verdict: Verdict;
  /** Why, in one line that stands after the verdict and a colon. */
  readonly reason: string;
}

/** Why a goal is not judged, on account of this machine. */
const LATE = 'the load generator was late';
const STRAINED = 'this machine had no processor time left';
const ABOVE = 'the load is above what this machine carries';

/**
 * Judges a rehearsal. A target that depends on when requests were sent is not judged where the generator was late, and not
 * missed by failures in seconds in which the machine had no processor time left. What was lost, or came about without a request,
 * is always judged.
 */
export function judge(findings: Findings): Judgement {
  const goals = goalsByMachine(findings, goalsOf(findings));
  const missed = goals.filter((goal) => !goal.met && goal.unjudged === undefined);
  if (missed.length > 0) {
    const names = missed.map(({ name }) => name).join('; ');
    return { goals, verdict: 'missed', reason: `${missed.length} of ${goals.length} targets: ${names}` };
  }
  const open = goals.filter((goal) => goal.unjudged !== undefined);
  const byMachine = open.some((goal) => [LATE, STRAINED, ABOVE].includes(goal.unjudged as string));
  if (byMachine) {
    const phases = open.filter(({ name }) => name.startsWith('phase')).map(({ name }) => name);
    return { goals, verdict: 'not judged', reason: [...phases, carries(findings)].join('; ') };
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

function goalsByMachine(findings: Findings, goals: readonly Goal[]): Goal[] {
  if (isTooLate(findings)) return goals.map((goal) => (goal.definite ? goal : unjudged(goal, goal.unjudged ?? LATE)));
  const { scenario, carried = Number.POSITIVE_INFINITY } = findings;
  const isAbove = peakRate(scenario.load) > carried;
  const excused = goalsOf(withoutStrain(findings));
  return goals.map((goal, index) => {
    if (goal.met || goal.definite || goal.unjudged !== undefined) return goal;
    if (isAbove) return unjudged(goal, ABOVE);
    // The same goals in the same order: what happened is the same.
    return excused[index]?.met ? unjudged(goal, STRAINED) : goal;
  });
}

/** The same run, had nothing failed in seconds in which the machine was strained, or in those after them, in which answers end. */
function withoutStrain(findings: Findings): Findings {
  const isExcused = ({ seconds }: Findings, index: number) =>
    [seconds[index], seconds[index - 1]].some((one) => one !== undefined && isStrained(one));
  // A wrong answer is none of a slow machine's.
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

/** What to try instead. */
function carries({ scenario, seconds, carried }: Findings): string {
  const { load } = scenario;
  const peak = peakRate(load);
  // A machine that got busy after its calibration shows in the run what it carries now.
  const late = durations(seconds).filter(({ second }) => isLate(second));
  const answered = late.reduce((sum, { second }) => sum + second.counts.ok + second.counts.refused, 0);
  const time = late.reduce((sum, { took }) => sum + took, 0);
  const seen = time > 0 && (carried === undefined || carried >= peak) ? carriedRate(answered / time) : undefined;
  const now = Math.min(carried ?? Number.POSITIVE_INFINITY, seen ?? Number.POSITIVE_INFINITY);
  if (now >= peak) return 'this machine was busy with other work; try again when it is idle';
  return `this machine carries ${now} requests/s; try --rps ${rpsWithin(load, now)}`;
}
