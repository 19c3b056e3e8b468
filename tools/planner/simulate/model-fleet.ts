import { onDemandOf } from '../scaling/capacity';
import type { ScalingGroup } from '../scaling/scaling-group';

export interface ModelFleetOptions {
  readonly group: ScalingGroup;
  /** Servers that serve from the first moment. */
  readonly servers: number;
  /** Unix seconds. */
  readonly start: number;
  /** Seconds from the start of a server until it is in service in its group. */
  readonly boot: number;
  /** Seconds from there until the balancer sends it requests. */
  readonly untilServing: number;
  /** Share of the spot servers that are taken back a month, each by itself: 0 to 1. */
  readonly spotLossPerMonth: number;
  /** Unix seconds at which all spot servers get their notice at once. */
  readonly spotSweepAt?: number;
  readonly random: () => number;
}

interface Batch {
  count: number;
  /** Unix seconds. */
  readonly at: number;
}

/** Seconds from the notice of a spot server to its end. */
const SPOT_NOTICE = 120;
const MINUTES_PER_MONTH = 730 * 60;
/** Of the group, at a time. */
const REPLACED_AT_ONCE = 0.1;

/** Servers that do nothing but come, serve and go, minute by minute, as their group wants it. */
export class ModelFleet {
  /** In service in the group, whether they serve yet or not. */
  inService: number;
  /** Came into service in the last minute. */
  arrived = 0;
  /** Of servers that served in the last minute, together. */
  servingSeconds = 0;
  /** Taken back by EC2 since the start. */
  spotLost = 0;
  /** Replaced because they were not healthy when their grace was over. */
  neverHealthy = 0;

  /** Started and not in service; in service and not serving; with a notice of EC2; told to go: each oldest first. */
  private readonly pending: Batch[] = [];
  private readonly starting: Batch[] = [];
  private readonly interrupted: Batch[] = [];
  private readonly terminating: Batch[] = [];
  /** In service, marked unhealthy, and not replaced yet. */
  private unhealthy = 0;
  private sweepAt: number;

  constructor(private readonly options: ModelFleetOptions) {
    this.inService = options.servers;
    this.sweepAt = options.spotSweepAt ?? Number.POSITIVE_INFINITY;
  }

  get draining(): number {
    return total(this.terminating);
  }

  /** Servers that are paid for. */
  get billed(): number {
    return this.inService + total(this.pending) + total(this.terminating);
  }

  /** Lets the minute from `now` on pass. */
  advance(now: number): void {
    const end = now + 60;
    this.arrived = 0;
    while (this.pending.length > 0 && (this.pending[0] as Batch).at < end) {
      const { count, at } = this.pending.shift() as Batch;
      this.inService += count;
      this.arrived += count;
      this.starting.push({ count, at: at + this.options.untilServing });
    }
    this.replaceUnhealthy(now);
    this.interruptSpot(now);
    let seconds = Math.max(0, this.inService - total(this.starting) - this.unhealthy) * 60;
    while (this.starting.length > 0 && (this.starting[0] as Batch).at < end) {
      const { count, at } = this.starting.shift() as Batch;
      seconds += count * (end - Math.max(at, now));
    }
    this.servingSeconds = seconds;
    while (this.terminating.length > 0 && (this.terminating[0] as Batch).at <= end) this.terminating.shift();
  }

  /** Starts and ends servers so that there are as many as the group wants. */
  setDesired(desired: number, now: number, delay: number): void {
    const { boot, group } = this.options;
    // With capacity rebalancing a server with a notice is replaced at once, and serves on beside its replacement.
    const counted = this.inService - (group.capacityRebalance ? total(this.interrupted) : 0);
    const missing = desired - counted - total(this.pending);
    if (missing > 0) this.pending.push({ count: missing, at: now + delay + boot });
    if (missing < 0) {
      const gone = -missing - takeNewest(this.pending, -missing);
      this.terminate(gone, now);
    }
  }

  private terminate(count: number, now: number): void {
    const gone = Math.min(count, this.inService);
    if (gone === 0) return;
    // The ones that were started last go first; those with a notice go anyway.
    takeNewest(this.starting, gone);
    this.inService -= gone;
    this.unhealthy = Math.min(this.unhealthy, this.inService);
    trim(this.interrupted, this.inService);
    if (this.options.group.drainSeconds > 0)
      this.terminating.push({ count: gone, at: now + this.options.group.drainSeconds });
  }

  /** Servers that do not serve by the end of their grace are replaced, some at a time, even if they would serve by then. */
  private replaceUnhealthy(now: number): void {
    const { group, untilServing } = this.options;
    if (group.healthCheckType !== 'ELB' || untilServing <= group.healthCheckGrace) return;
    const late = untilServing - group.healthCheckGrace;
    while (this.starting.length > 0 && (this.starting[0] as Batch).at - late <= now) {
      this.unhealthy += (this.starting.shift() as Batch).count;
    }
    const gone = Math.min(this.unhealthy, Math.max(1, Math.ceil(this.inService * REPLACED_AT_ONCE)));
    this.unhealthy -= gone;
    this.inService -= gone;
    this.neverHealthy += gone;
  }

  private interruptSpot(now: number): void {
    while (this.interrupted.length > 0 && (this.interrupted[0] as Batch).at <= now) {
      this.inService -= (this.interrupted.shift() as Batch).count;
    }
    const { group, spotLossPerMonth, random } = this.options;
    const there = this.inService - total(this.interrupted);
    const spot = there - onDemandOf(there, group.purchase);
    let lost = 0;
    if (now >= this.sweepAt) {
      lost = spot;
      this.sweepAt = Number.POSITIVE_INFINITY;
    } else if (spot > 0 && spotLossPerMonth > 0) {
      // At most one a minute: two in the same one are rare, and one more minute does not matter.
      lost = random() < (spot * spotLossPerMonth) / MINUTES_PER_MONTH ? 1 : 0;
    }
    if (lost === 0) return;
    this.spotLost += lost;
    this.interrupted.push({ count: lost, at: now + SPOT_NOTICE });
  }
}

function total(batches: readonly Batch[]): number {
  let count = 0;
  for (const batch of batches) count += batch.count;
  return count;
}

/** Takes up to so many of the newest away; returns how many there were to take. */
function takeNewest(batches: Batch[], wanted: number): number {
  let taken = 0;
  while (taken < wanted && batches.length > 0) {
    const newest = batches[batches.length - 1] as Batch;
    const gone = Math.min(wanted - taken, newest.count);
    newest.count -= gone;
    taken += gone;
    if (newest.count === 0) batches.pop();
  }
  return taken;
}

function trim(batches: Batch[], most: number): void {
  takeNewest(batches, Math.max(0, total(batches) - most));
}
