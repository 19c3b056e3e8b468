import type { Second } from './messages';

/** Milliseconds that requests are sent late (99th percentile of a second), from which latencies are partly the generator's own. */
const SLOW = 50;

/** The same, from which the load is another one: no target is about less time, and what is late comes as a rush. */
const LATE = 250;

/** Share of a second from which the generator's event loop is saturated. */
const BUSY = 0.95;

/** Share of the processor time below which a second leaves none for anything else. */
const IDLE = 0.03;

/** Share of the time with traffic from which a late generator sent another load than the one that was to be judged. */
export const LATE_SHARE = 0.1;

/** Whether the shop did not get the load of this second as planned. */
export function isLate({ lateMs }: Pick<Second, 'lateMs'>): boolean {
  return lateMs > LATE;
}

/** Whether the generator, and not the shop, was slow at times in this second. */
export function isSlow({ lateMs, busy }: Pick<Second, 'lateMs' | 'busy'>): boolean {
  return lateMs > SLOW || busy > BUSY;
}

/** Whether failures in this second may come from this machine instead of the shop. */
export function isStrained(second: Pick<Second, 'lateMs' | 'busy' | 'idle'>): boolean {
  return isSlow(second) || second.idle < IDLE;
}

/** Seconds with the time that each took. The first begins with the traffic. */
export function durations<S extends Pick<Second, 'at'>>(seconds: readonly S[]): { second: S; took: number }[] {
  return seconds.map((second, index) => ({ second, took: second.at - (seconds[index - 1]?.at ?? 0) }));
}

/** Share of the time with traffic in which the generator was late; 0 without traffic. */
export function lateShare(seconds: readonly Pick<Second, 'at' | 'due' | 'lateMs'>[]): number {
  const sent = durations(seconds).filter(({ second }) => second.due > 0);
  const time = (of: typeof sent) => of.reduce((sum, { took }) => sum + took, 0);
  const all = time(sent);
  return all === 0 ? 0 : time(sent.filter(({ second }) => isLate(second))) / all;
}
