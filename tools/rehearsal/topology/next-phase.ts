import type { AppBundle } from '../../support/app-bundle';
import { UsageError } from '../../support/usage-error';
import type { Endpoint } from '../programs/endpoint';
import { type MoveProcessOptions, runMove } from '../programs/move';
import type { Parts } from '../programs/parts';
import { type DataTiers, startDataTiers } from './data-tiers';
import type { Front } from './front';
import type { RehearsedPhase, TopologyPlan } from './topology-plan';

/** A phase that serves traffic. */
export interface ServingPhase {
  readonly phase: RehearsedPhase;
  readonly data: DataTiers;
  readonly front: Front;
}

export interface PhaseSwitchOptions<S extends ServingPhase> {
  readonly dir: string;
  readonly bundle: AppBundle;
  readonly parts: Parts;
  /** Entry point for visitors. */
  readonly address: Endpoint;
  /** Starts the servers of a phase. */
  readonly serve: (plan: TopologyPlan, data: DataTiers) => Promise<S>;
  readonly onEvent: (what: string) => void;
}

/** Switches a running phase to the next one under traffic. */
export class PhaseSwitch<S extends ServingPhase> {
  #becoming: RehearsedPhase | undefined;

  constructor(private readonly options: PhaseSwitchOptions<S>) {}

  /** The next phase while the transition runs. */
  get becoming(): RehearsedPhase | undefined {
    return this.#becoming;
  }

  /**
   * Rejects changes to servers that the transition replaces.
   *
   * @param what prefix of the error message, such as `scale`
   * @throws UsageError while a transition runs
   */
  checkIdle(what: string): void {
    if (this.#becoming)
      throw new UsageError(
        `${what}: not available during the transition to phase ${this.#becoming}, which replaces the servers.`,
      );
  }

  /**
   * Starts the transition. Resolves when the next phase serves; the servers of the previous phase drain after that.
   *
   * @throws UsageError after the last phase, and while another transition runs
   */
  async next(plan: TopologyPlan, now: S): Promise<S> {
    if (now.phase === 4) throw new UsageError('next-phase: phase 4 is the last phase that runs on one machine.');
    if (this.#becoming) throw new UsageError(`next-phase: the transition to phase ${this.#becoming} is still running.`);
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

  /** Moves the data off the instance while the app serves, then restarts the app on the new database. */
  async #toOwnDatabase(plan: TopologyPlan, now: S): Promise<S> {
    const { dir, bundle, parts, address, serve, onEvent } = this.options;
    const data = await startDataTiers(plan, { dir }, parts);
    const servers = { bundle, from: now.data.database.primary.server, to: data.database.primary.server };
    let pausedAt = 0;
    await move({ ...servers, command: 'prepare' });
    await move({
      ...servers,
      command: 'run',
      onEvent: ({ step }) => {
        if (step !== 'pause') return;
        pausedAt = performance.now();
        onEvent('writes paused');
      },
    });
    await now.front.drain();
    const next = await serve(plan, data);
    address.pointTo(next.front.port);
    onEvent(`phase 2 serves from its own database; writes were paused for ${seconds(pausedAt)} s`);
    await now.data.database.primary.stop();
    return next;
  }

  /** Starts the new servers beside the old ones, switches the address once they serve, then drains the old ones. */
  async #toNewServers(plan: TopologyPlan, now: S): Promise<S> {
    const { dir, parts, address, serve, onEvent } = this.options;
    const data = await startDataTiers(plan, { dir, before: now.data }, parts);
    const next = await serve(plan, data);
    address.pointTo(next.front.port);
    onEvent(`phase ${plan.phase} serves`);
    void now.front.drain().then(() => onEvent(`servers of phase ${now.phase} terminated`));
    return next;
  }
}

/** @throws Error with the output of `move.js` when it fails */
async function move(options: MoveProcessOptions): Promise<void> {
  const { code, stderr } = await runMove(options);
  if (code !== 0) throw new Error(`move.js ${options.command} ended with ${code}: ${stderr.trim()}`);
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1);
}
