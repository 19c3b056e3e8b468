/** A figure of a rehearsal, and what it should be. */
export interface Goal {
  readonly name: string;
  readonly measured: string;
  readonly goal: string;
  readonly met: boolean;
}
