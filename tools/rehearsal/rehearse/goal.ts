/** A target of a rehearsal, and what was measured. */
export interface Goal {
  readonly name: string;
  readonly measured: string;
  readonly goal: string;
  readonly met: boolean;
  /**
   * Why it says nothing, such as that nothing happened that could have missed it; `met` is false then.
   *
   * @default - it is met or missed
   */
  readonly unjudged?: string;
  /**
   * It holds under any load, so that it is also missed when the generator was late.
   *
   * @default false
   */
  readonly definite?: true;
}

/** Neither met nor missed. */
export function unjudged(goal: Goal, why: string): Goal {
  return { ...goal, met: false, unjudged: why };
}

/** The goal, unless nothing happened that could have missed it. */
export function unless(isNothing: boolean, why: string, goal: Goal): Goal {
  return isNothing ? unjudged(goal, why) : goal;
}

/** Result of a whole rehearsal. `not judged` says nothing about the shop: the load never reached it as planned. */
export type Verdict = 'passed' | 'missed' | 'not judged';
