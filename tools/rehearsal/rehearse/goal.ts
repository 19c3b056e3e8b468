/** A target of a rehearsal with its measured value. */
export interface Goal {
  readonly name: string;
  readonly measured: string;
  readonly goal: string;
  readonly met: boolean;
  /**
   * Reason why the target is not judged, such as a lack of data. `met` is false then.
   *
   * @default - the target is judged
   */
  readonly unjudged?: string;
  /**
   * Applies under any load: it is missed even if the generator was late.
   *
   * @default false
   */
  readonly definite?: true;
}

/** Marks a target as not judged. */
export function unjudged(goal: Goal, why: string): Goal {
  return { ...goal, met: false, unjudged: why };
}

/** Marks a target as not judged if a condition holds. */
export function unjudgedIf(condition: boolean, why: string, goal: Goal): Goal {
  return condition ? unjudged(goal, why) : goal;
}

/** Result of a rehearsal. `not judged`: the planned load did not reach the shop, or there was too little data. */
export type Verdict = 'passed' | 'missed' | 'not judged';
