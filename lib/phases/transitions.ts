/** Whether a shop in one phase may be deployed as another. */
export interface PhaseTransition {
  readonly from: number;
  readonly to: number;
  /**
   * - `allowed`
   * - `on purpose`: only with `-c goBackFrom=`, which names the phase that is left
   * - `refused`
   */
  readonly verdict: 'allowed' | 'on purpose' | 'refused';
  readonly why: string;
  /** What leads there all the same. */
  readonly instead?: string;
}

/**
 * The rule for a step between phases. Its two ends are guarded twice: at synth, when the CDK's credentials can see the running
 * stack (`bin/shop.ts`), and at deploy by the set-up of box and servers (`app/host/configure.sh`), which fails before anything that
 * serves is touched.
 */
export function transitionBetween(from: number, to: number): PhaseTransition {
  if (from === to) return { from, to, verdict: 'allowed', why: 'the same phase' };
  if (from === 1 && to > 2) {
    return {
      from,
      to,
      verdict: 'refused',
      why: 'the orders are on the box, and the box goes',
      instead: 'deploy phase-2 and move them to RDS first',
    };
  }
  if (from > 2 && to === 1) {
    return {
      from,
      to,
      verdict: 'refused',
      why: 'the orders are in RDS, and phase 1 would start without them',
      instead: `go back to phase 2 (-c goBackFrom=${from}), move them back to the box, then deploy phase-1`,
    };
  }
  const moved = 'once the data is moved: until then the set-up of the servers refuses';
  if (from < to) {
    const why =
      from === 1 ? 'the app stays with its data on the box until that is moved' : from === 2 ? moved : 'at any time';
    return { from, to, verdict: 'allowed', why };
  }
  const why =
    to === 1
      ? 'data that was moved is moved back first, or the set-up of the box refuses'
      : to === 2
        ? 'everybody is logged out with the cache, and the box is set up anew'
        : 'servers of the phase before come up beside those that serve';
  return { from, to, verdict: 'on purpose', why, instead: `-c goBackFrom=${from}` };
}

/**
 * Why a running shop may not be deployed as another phase, in one line; undefined when it may.
 *
 * @param goBackFrom phase that the person said to leave
 */
export function transitionError(from: number, to: number, goBackFrom?: number): string | undefined {
  const { verdict, why, instead } = transitionBetween(from, to);
  if (verdict === 'allowed' || (verdict === 'on purpose' && goBackFrom === from)) return undefined;
  const what = verdict === 'refused' ? 'cannot become' : 'goes back only on purpose to';
  return `the shop runs in phase ${from}, and ${what} phase ${to}: ${why}. The way: ${instead}`;
}
