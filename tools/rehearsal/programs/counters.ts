type Counts<K extends string> = Readonly<Record<K, number>>;

/** Reads counters of a program that begin anew at 0 when it is started again, and themselves only ever go on. */
export class Counters<K extends string> {
  #beforeRestart: Counts<K> | undefined;
  #last: Counts<K> | undefined;
  #pending: Promise<Counts<K>> | undefined;

  /** @param read the program's counts; while it cannot be asked, the last ones stay, 0 before the first */
  constructor(
    private readonly names: readonly K[],
    private readonly read: () => Promise<Counts<K>>,
  ) {}

  /** Who asks while an answer is on its way gets that one: answers that overtake each other look like a restart. */
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
