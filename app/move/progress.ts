/** The steps of a move, in their order; a second run begins again with the first and passes over what is done. */
export const STEPS = {
  check: 'looking for what could stop the move',
  schema: 'preparing the tables of the target',
  copy: 'copying',
  follow: 'catching up with what was written meanwhile',
  compare: 'comparing the copy with the source',
  pause: 'pausing writes',
  drain: 'fetching the last changes',
  verify: 'comparing once more',
  open: 'opening the target',
  clean: 'removing what the move needed',
} as const;

export type Step = keyof typeof STEPS;

/** Tells whoever watches: lines for people, or one JSON object a line for programs. */
export class Progress {
  readonly #begin = performance.now();
  #step: Step = 'check';

  constructor(
    private readonly json: boolean,
    private readonly write: (line: string) => void,
  ) {}

  get seconds(): number {
    return (performance.now() - this.#begin) / 1000;
  }

  step(step: Step): void {
    this.#step = step;
    this.tell({}, STEPS[step]);
  }

  /** Something within the step. */
  tell(figures: Readonly<Record<string, unknown>>, line: string): void {
    const seconds = Number(this.seconds.toFixed(3));
    if (this.json) this.write(JSON.stringify({ step: this.#step, seconds, ...figures }));
    else this.write(`${seconds.toFixed(1).padStart(8)} s  ${line}`);
  }
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
