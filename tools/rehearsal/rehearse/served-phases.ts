import type { Snapshot } from '../topology/snapshot';
import type { RehearsedPhase } from '../topology/topology-plan';
import type { Counts } from '../traffic/messages';
import type { ServedPhase } from './findings';

/** Counts successful requests per phase of an evolution, from the transition to it. */
export class ServedPhases {
  readonly #phases: { phase: RehearsedPhase; answered: number }[] = [];

  /** @param first initial phase, which is not counted */
  constructor(private readonly first: RehearsedPhase) {}

  get all(): readonly ServedPhase[] {
    return this.#phases;
  }

  /** Successful requests of a phase so far; undefined before the transition to it. */
  answered(phase: RehearsedPhase): number | undefined {
    return this.#phases.find((one) => one.phase === phase)?.answered;
  }

  /**
   * Records a snapshot.
   *
   * @param phase phase that served before the snapshot
   * @param counts requests since the previous snapshot; absent after the traffic
   */
  record(phase: RehearsedPhase, { servers }: Pick<Snapshot, 'servers'>, counts?: Counts): void {
    if (phase === this.first) return;
    let now = this.#phases.find((one) => one.phase === phase);
    const isNew = now === undefined;
    if (now === undefined) {
      now = { phase, answered: 0 };
      this.#phases.push(now);
    }
    // A balancer counts requests per server. Without one, all requests go to the single server.
    if (phase >= 3) now.answered = servers.reduce((sum, { requests, failures }) => sum + requests - failures, 0);
    else if (!isNew) now.answered += counts?.ok ?? 0;
  }
}
