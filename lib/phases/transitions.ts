/** A deploy of one phase over a shop that runs another. */
export interface PhaseTransition {
  readonly from: number;
  readonly to: number;
  /**
   * - `allowed`
   * - `on purpose`: requires `-c goBackFrom=` with the phase that the shop runs
   * - `refused`
   */
  readonly verdict: 'allowed' | 'on purpose' | 'refused';
  readonly why: string;
  /** The argument that confirms a step back, or the steps to take instead of a refused deploy. */
  readonly instead?: string;
}

/**
 * The rule for a deploy of phase `to` over a running shop in phase `from`. It is enforced twice: at synth, when the CDK's
 * credentials can see the running stack (`bin/shop.ts`), and during the deploy by the setup of the servers
 * (`app/host/configure.sh`), which fails before it changes anything that serves.
 */
export function transitionBetween(from: number, to: number): PhaseTransition {
  if (from === to) return { from, to, verdict: 'allowed', why: 'the same phase' };
  if (from === 1 && to > 2) {
    return {
      from,
      to,
      verdict: 'refused',
      why: 'the orders are on the instance, which the deploy would terminate',
      instead: 'deploy phase-2 and move the orders to RDS first',
    };
  }
  if (from > 2 && to === 1) {
    return {
      from,
      to,
      verdict: 'refused',
      why: 'the orders are in RDS, and phase 1 would start without them',
      instead: `go back to phase 2 (-c goBackFrom=${from}), move the orders back to the instance, then deploy phase-1`,
    };
  }
  if (from < to) return { from, to, verdict: 'allowed', why: FORWARD[from] ?? 'at any time' };
  return {
    from,
    to,
    verdict: 'on purpose',
    why: BACK[to] ?? 'servers of the earlier phase start beside those that serve',
    instead: `-c goBackFrom=${from}`,
  };
}

/** Conditions of a transition to a later phase, by the phase that the shop is in. */
const FORWARD: Readonly<Record<number, string>> = {
  1: 'the app stays on the instance with its data until the data is moved',
  2: 'after the data is moved; until then the setup of the servers fails',
};

/** Effects of a transition to an earlier phase, by that phase. */
const BACK: Readonly<Record<number, string>> = {
  1: 'move the data back first if it was moved, or the setup of the instance fails',
  2: 'all visitors are logged out with the cache, and the instance is set up again',
};

/**
 * The error that stops the deploy of phase `to` over a running shop in phase `from`, in one line; undefined if it is allowed.
 *
 * @param goBackFrom phase to leave for an earlier one, as given by `-c goBackFrom`
 */
export function transitionError(from: number, to: number, goBackFrom?: number): string | undefined {
  const { verdict, why, instead } = transitionBetween(from, to);
  if (verdict === 'allowed' || (verdict === 'on purpose' && goBackFrom === from)) return undefined;
  const [effect, next] =
    verdict === 'refused'
      ? ['would lose orders', `Instead, ${instead}`]
      : ['is a step back', `To confirm, pass ${instead}`];
  return `The shop runs phase ${from}. Deploying phase ${to} ${effect}: ${why}. ${next}.`;
}
