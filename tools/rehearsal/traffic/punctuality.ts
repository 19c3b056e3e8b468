import type { Second } from './messages';

/** Send delay (99th percentile of a second, ms) above which the generator contributes to latencies. */
const SLOW = 50;

/** Send delay above which the load is no longer the planned one: late requests arrive in bursts. No target is shorter. */
const LATE = 250;

/** Event-loop utilization above which the generator is saturated. */
const BUSY = 0.95;

/** Idle share of processor time below which the machine is saturated. */
const IDLE = 0.03;

/** Share of late time above which a run is not judged. */
export const LATE_SHARE = 0.1;

/** Whether the load of this second differs from the planned one. */
export function isLate({ lateMs }: Pick<Second, 'lateMs'>): boolean {
  return lateMs > LATE;
}

/** Whether the generator contributed to latencies in this second. */
export function isSlow({ lateMs, busy }: Pick<Second, 'lateMs' | 'busy'>): boolean {
  return lateMs > SLOW || busy > BUSY;
}

/** Whether this machine may have caused failures in this second. */
export function isStrained(second: Pick<Second, 'lateMs' | 'busy' | 'idle'>): boolean {
  return isSlow(second) || second.idle < IDLE;
}

/** Pairs each second with its actual duration. The first starts with the traffic. */
export function durations<S extends Pick<Second, 'at'>>(seconds: readonly S[]): { second: S; took: number }[] {
  return seconds.map((second, index) => ({ second, took: second.at - (seconds[index - 1]?.at ?? 0) }));
}

/** Returns the share of time with traffic in which the generator was late; 0 without traffic. */
export function lateShare(seconds: readonly Pick<Second, 'at' | 'due' | 'lateMs'>[]): number {
  const sent = durations(seconds).filter(({ second }) => second.due > 0);
  const time = (of: typeof sent) => of.reduce((sum, { took }) => sum + took, 0);
  const all = time(sent);
  return all === 0 ? 0 : time(sent.filter(({ second }) => isLate(second))) / all;
}
