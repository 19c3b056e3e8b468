/** Request classes with a similar cost per request. */
export const WORK = ['catalogue', 'miss', 'session', 'write'] as const;
export type Work = (typeof WORK)[number];

/** Service demand: CPU milliseconds per request, measured by `npm run bench -- demand`. */
export interface Demand {
  /** Date of the measurement. */
  readonly asOf: string;
  /** Command that measured it. */
  readonly command: string;
  /** Machine that measured it. */
  readonly machine: string;
  readonly server: Readonly<Record<Work, number>>;
  readonly database: Readonly<Record<Work, number>>;
  /** Peak memory of a server process during the measurement, in MiB. */
  readonly processMib: number;
}
