import type { Snapshot } from '../topology/snapshot';
import type { RehearsedPhase } from '../topology/topology-plan';
import type { Counts } from '../traffic/messages';
import type { ServedPhase } from './findings';

/** Counts what each phase of an evolution answers by its own servers after the switch to it. */
export class ServedPhases {
  readonly #phases: { phase: RehearsedPhase; answered: number }[] = [];

  /** @param first the phase at the start, which is none that the system became */
  constructor(private readonly first: RehearsedPhase) {}

  get all(): readonly ServedPhase[] {
    return this.#phases;
  }

  /** Requests that a phase answered so far; undefined before its switch. */
  answered(phase: RehearsedPhase): number | undefined {
    return this.#phases.find((one) => one.phase === phase)?.answered;
  }

  /**
   * One look at the topology.
   *
   * @param phase that served when it began
   * @param counts of the visitors' requests since the look before; absent after the traffic
   */
  see(phase: RehearsedPhase, { servers }: Pick<Snapshot, 'servers'>, counts?: Counts): void {
    if (phase === this.first) return;
    let now = this.#phases.find((one) => one.phase === phase);
    const isNew = now === undefined;
    if (now === undefined) {
      now = { phase, answered: 0 };
      this.#phases.push(now);
    }
    // Behind a balancer, its servers' counters tell. Without one, whatever was answered since the look before is by the one server.
    if (phase >= 3) now.answered = servers.reduce((sum, { requests, failures }) => sum + requests - failures, 0);
    else if (!isNew) now.answered += counts?.ok ?? 0;
  }
}
