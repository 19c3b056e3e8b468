type Counts<K extends string> = Readonly<Record<K, number>>;

/** Monotonic counters over a program whose own counters restart at 0 when it restarts. */
export class Counters<K extends string> {
  #beforeRestart: Counts<K> | undefined;
  #last: Counts<K> | undefined;
  #pending: Promise<Counts<K>> | undefined;

  /** @param read reads the program's counters; when it rejects, the last counts apply, 0 before the first */
  constructor(
    private readonly names: readonly K[],
    private readonly read: () => Promise<Counts<K>>,
  ) {}

  /** Concurrent calls share one read, because responses out of order would look like a restart. */
  value(): Promise<Counts<K>> {
    this.#pending ??= this.#update().finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  async #update(): Promise<Counts<K>> {
    const now = await this.read().catch(() => this.#last);
    if (now !== undefined) {
      if (this.names.some((name) => now[name] < this.#of(this.#last, name))) this.#beforeRestart = this.#sum();
      this.#last = now;
    }
    return this.#sum();
  }

  #sum(): Counts<K> {
    const sums = this.names.map((name) => [name, this.#of(this.#beforeRestart, name) + this.#of(this.#last, name)]);
    return Object.fromEntries(sums) as Record<K, number>;
  }

  #of(counts: Counts<K> | undefined, name: K): number {
    return counts?.[name] ?? 0;
  }
}
