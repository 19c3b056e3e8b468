import { onDemandOf } from '../scaling/capacity';
import type { ScalingGroup } from '../scaling/scaling-group';

export interface ModelFleetOptions {
  readonly group: ScalingGroup;
  /** Initial servers, which serve immediately. */
  readonly servers: number;
  /** Unix seconds. */
  readonly start: number;
  /** Seconds from launch until a server is in service. */
  readonly boot: number;
  /** Seconds from in service until the load balancer routes requests to it. */
  readonly untilServing: number;
  /** Share of spot servers interrupted per month, independently: 0 to 1. */
  readonly spotLossPerMonth: number;
  /** Time of an interruption notice for all spot servers, in Unix seconds. */
  readonly spotSweepAt?: number;
  readonly random: () => number;
}

interface Batch {
  count: number;
  /** Unix seconds. */
  readonly at: number;
}

/** Seconds from the interruption notice of a spot server to its termination. */
const SPOT_NOTICE = 120;
const MINUTES_PER_MONTH = 730 * 60;
/** Share of the group that is replaced at a time. */
const REPLACED_AT_ONCE = 0.1;

/** Simulates launch, service and termination of a group's servers, minute by minute. */
export class ModelFleet {
  /** Servers in service in the group, including those that do not serve requests yet. */
  inService: number;
  /** Servers that entered service in the last minute. */
  arrived = 0;
  /** Total serving time of all servers in the last minute, in seconds. */
  servingSeconds = 0;
  /** Spot interruptions since the start. */
  spotLost = 0;
  /** Servers replaced because they were unhealthy after the grace period. */
  neverHealthy = 0;

  /** Not in service; in service and not serving; with an interruption notice; terminating. Each oldest first. */
  private readonly pending: Batch[] = [];
  private readonly starting: Batch[] = [];
  private readonly interrupted: Batch[] = [];
  private readonly terminating: Batch[] = [];
  /** In service, unhealthy, and not replaced yet. */
  private unhealthy = 0;
  private sweepAt: number;

  constructor(private readonly options: ModelFleetOptions) {
    this.inService = options.servers;
    this.sweepAt = options.spotSweepAt ?? Number.POSITIVE_INFINITY;
  }

  get draining(): number {
    return total(this.terminating);
  }

  /** Billed servers. */
  get billed(): number {
    return this.inService + total(this.pending) + total(this.terminating);
  }

  /** Simulates the minute that starts at `now`. */
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

  /** Launches or terminates servers to reach the desired capacity. */
  setDesired(desired: number, now: number, delay: number): void {
    const { boot, group } = this.options;
    // Capacity rebalancing replaces a server at its notice, while it continues to serve.
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
    // The newest servers terminate first. Interrupted servers terminate in any case.
    takeNewest(this.starting, gone);
    this.inService -= gone;
    this.unhealthy = Math.min(this.unhealthy, this.inService);
    trim(this.interrupted, this.inService);
    if (this.options.group.drainSeconds > 0)
      this.terminating.push({ count: gone, at: now + this.options.group.drainSeconds });
  }

  /** Replaces servers that do not serve by the end of the grace period, a limited share at a time. */
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
    const remaining = this.inService - total(this.interrupted);
    const spot = remaining - onDemandOf(remaining, group.purchase);
    let lost = 0;
    if (now >= this.sweepAt) {
      lost = spot;
      this.sweepAt = Number.POSITIVE_INFINITY;
    } else if (spot > 0 && spotLossPerMonth > 0) {
      // At most one per minute: two in the same minute are rare.
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

/** Removes up to `wanted` of the newest servers, and returns the number removed. */
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

function trim(batches: Batch[], maximum: number): void {
  takeNewest(batches, Math.max(0, total(batches) - maximum));
}
