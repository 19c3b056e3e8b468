export interface Part {
  /** Safe to call twice. */
  stop(): Promise<void>;
}

/** What was started, to be stopped in the opposite order; also when the start of something after it fails. */
export class Parts implements Part {
  readonly #parts: Part[] = [];
  #stopped: Promise<void> | undefined;

  /** Resolves to the part once it has started. */
  async add<T extends Part>(start: T | Promise<T>): Promise<T> {
    const part = await start;
    this.#parts.push(part);
    return part;
  }

  stop(): Promise<void> {
    this.#stopped ??= (async () => {
      for (const part of this.#parts.reverse()) await part.stop();
    })();
    return this.#stopped;
  }
}

/** As `Promise.all`, but when one fails, the others have come to an end as well. */
export async function together<T extends readonly unknown[]>(
  promises: readonly [...{ [K in keyof T]: Promise<T[K]> }],
): Promise<T> {
  await Promise.allSettled(promises);
  return Promise.all(promises) as unknown as Promise<T>;
}

/** Of an error that may go on with the end of a log; for an event, which is a line. */
export function firstLine(error: Error): string {
  return error.message.split('\n', 1)[0] as string;
}
