import type { AppBundle } from '../../support/app-bundle';
import { UsageError } from '../../support/usage-error';
import type { Endpoint } from '../programs/endpoint';
import type { Parts } from '../programs/parts';
import { type DataTiers, startDataTiers } from './data-tiers';
import type { Front } from './front';
import { moveData } from './move-data';
import type { RehearsedPhase, TopologyPlan } from './topology-plan';

/** A phase that serves. */
export interface ServingPhase {
  readonly phase: RehearsedPhase;
  readonly data: DataTiers;
  readonly front: Front;
}

export interface PhaseTransitionOptions<S extends ServingPhase> {
  readonly dir: string;
  readonly bundle: AppBundle;
  readonly parts: Parts;
  /** Where visitors enter. */
  readonly address: Endpoint;
  /** Starts what serves a phase. */
  readonly serve: (plan: TopologyPlan, data: DataTiers) => Promise<S>;
  readonly onEvent: (what: string) => void;
}

/** Makes a phase out of the one before it while visitors come. */
export class PhaseTransition<S extends ServingPhase> {
  #becoming: RehearsedPhase | undefined;

  constructor(private readonly options: PhaseTransitionOptions<S>) {}

  /** The next phase, while it is being made. */
  get becoming(): RehearsedPhase | undefined {
    return this.#becoming;
  }

  /**
   * For what would only change servers that are about to leave.
   *
   * @param what for the error, such as `scale`
   * @throws UsageError while the next phase is being made
   */
  checkIdle(what: string): void {
    if (this.#becoming)
      throw new UsageError(`${what}: phase ${this.#becoming} is being made; it brings servers of its own`);
  }

  /**
   * Resolves when the next phase serves; what it has no use for leaves after that.
   *
   * @throws UsageError after the last phase, and while another step is being done
   */
  async next(plan: TopologyPlan, now: S): Promise<S> {
    if (now.phase === 4) throw new UsageError('next-phase: phase 4 is the last that runs on one machine');
    if (this.#becoming) throw new UsageError(`next-phase: phase ${this.#becoming} is still being made`);
    const phase = (now.phase + 1) as RehearsedPhase;
    this.#becoming = phase;
    try {
      const { servers: _ofTheFirst, ...rest } = plan;
      const to = { ...rest, phase };
      return now.phase === 1 ? await this.#toOwnDatabase(to, now) : await this.#toNewServers(to, now);
    } finally {
      this.#becoming = undefined;
    }
  }

  /** Its data moves off the box while the app goes on; then the app is started again, on the database that is its own. */
  async #toOwnDatabase(plan: TopologyPlan, now: S): Promise<S> {
    const { dir, bundle, parts, address, serve, onEvent } = this.options;
    const data = await startDataTiers(plan, { dir }, parts);
    let pausedAt = 0;
    await moveData(bundle, now.data.database, data.database, () => {
      pausedAt = performance.now();
      onEvent('writes are paused');
    });
    await now.front.drain();
    const next = await serve(plan, data);
    address.pointTo(next.front.port);
    onEvent(`phase 2 serves from its own database; writes were paused for ${seconds(pausedAt)} s`);
    await now.data.database.primary.stop();
    return next;
  }

  /** The new servers stand beside the old ones until they serve; then the address leads to them, and the old ones leave. */
  async #toNewServers(plan: TopologyPlan, now: S): Promise<S> {
    const { dir, parts, address, serve, onEvent } = this.options;
    const data = await startDataTiers(plan, { dir, before: now.data }, parts);
    const next = await serve(plan, data);
    address.pointTo(next.front.port);
    onEvent(`phase ${plan.phase} serves`);
    void now.front.drain().then(() => onEvent(`the servers of phase ${now.phase} have left`));
    return next;
  }
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1);
}
