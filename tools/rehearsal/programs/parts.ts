export interface Part {
  /** Safe to call twice. */
  stop(): Promise<void>;
}

/** Started parts, stopped in reverse order. */
export class Parts implements Part {
  readonly #parts: Part[] = [];
  #stopped: Promise<void> | undefined;

  /** Adds a part. Resolves to the part once it has started. */
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

/** Like `Promise.all`, but rejects only after all promises have settled. */
export async function together<T extends readonly unknown[]>(
  promises: readonly [...{ [K in keyof T]: Promise<T[K]> }],
): Promise<T> {
  await Promise.allSettled(promises);
  return Promise.all(promises) as unknown as Promise<T>;
}

/** First line of an error message, without the log excerpt that may follow. */
export function firstLine(error: Error): string {
  return error.message.split('\n', 1)[0] as string;
}
