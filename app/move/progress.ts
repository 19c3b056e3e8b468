/** Steps of a move, in order. A repeated run starts with the first and skips a finished copy. */
export const STEPS = {
  check: 'checking the requirements',
  schema: 'preparing the tables of the target',
  copy: 'copying',
  follow: 'replaying later transactions',
  compare: 'comparing the copy with the source',
  pause: 'pausing writes',
  drain: 'replaying the last transactions',
  verify: 'comparing again',
  open: 'opening the target',
  clean: 'dropping the replication slot',
} as const;

export type Step = keyof typeof STEPS;

/** Reports progress as text, or as one JSON object per line. */
export class Progress {
  readonly #startedAt = performance.now();
  #step: Step = 'check';

  constructor(
    private readonly json: boolean,
    private readonly write: (line: string) => void,
  ) {}

  get seconds(): number {
    return (performance.now() - this.#startedAt) / 1000;
  }

  /** Reports the start of a step. */
  step(step: Step): void {
    this.#step = step;
    this.report({}, STEPS[step]);
  }

  /** Reports an event of the current step. */
  report(figures: Readonly<Record<string, unknown>>, line: string): void {
    const seconds = Number(this.seconds.toFixed(3));
    if (this.json) this.write(JSON.stringify({ step: this.#step, seconds, ...figures }));
    else this.write(`${seconds.toFixed(1).padStart(8)} s  ${line}`);
  }
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
