/** Kinds of requests that cost about the same each. */
export const WORK = ['catalogue', 'miss', 'session', 'write'] as const;
export type Work = (typeof WORK)[number];

/** Service demand: the CPU time that a request takes, in milliseconds. `npm run bench -- demand` measures it, plans reckon with it. */
export interface Demand {
  /** Day of the measurement. */
  readonly asOf: string;
  /** The command that made it. */
  readonly command: string;
  /** What it was made on. */
  readonly machine: string;
  readonly server: Readonly<Record<Work, number>>;
  readonly database: Readonly<Record<Work, number>>;
  /** MiB that a process of the server had at most while all of that was asked of it. */
  readonly processMib: number;
}
