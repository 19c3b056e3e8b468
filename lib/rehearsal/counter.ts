/** Reads a counter of a program that begins anew at 0 when it is started again, and itself only ever goes on. */
export class Counter {
  #earlier = 0;
  #last = 0;

  /** @param read the program's count; while it cannot be asked, the last one stays */
  constructor(private readonly read: () => Promise<number>) {}

  async value(): Promise<number> {
    const now = await this.read().catch(() => this.#last);
    if (now < this.#last) this.#earlier += this.#last;
    this.#last = now;
    return this.#earlier + now;
  }
}
