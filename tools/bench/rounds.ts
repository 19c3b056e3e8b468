/** Results of one measurement by name. The name includes the unit. */
export type Figures = Readonly<Record<string, number>>;

export interface BenchOptions {
  /** Number of times that each measurement runs. */
  readonly rounds: number;
  /** Print the results as JSON and no progress. */
  readonly json: boolean;
}

/**
 * Runs several measurements in interleaved rounds, so that other load on the machine affects all of them alike. Returns the
 * medians. An additional first round fills the caches and is not counted.
 */
export async function measureInterleaved<Name extends string, F extends Figures>(
  measurements: Readonly<Record<Name, () => Promise<F>>>,
  { rounds, json }: BenchOptions,
): Promise<Record<Name, F>> {
  const names = Object.keys(measurements) as Name[];
  const results = new Map<Name, F[]>(names.map((name) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const name of names) {
      const figures = await measurements[name]();
      if (round > 0) results.get(name)?.push(figures);
      const shown = Object.entries(figures).map(([figure, value]) => `${figure} ${threeDigits(value)}`);
      if (!json)
        console.error(`  … ${round > 0 ? `round ${round} of ${rounds}` : 'warm-up'}: ${name}: ${shown.join(', ')}`);
    }
  }
  return Object.fromEntries(names.map((name) => [name, medians(results.get(name) as F[])])) as Record<Name, F>;
}

function medians<F extends Figures>(all: readonly F[]): F {
  const names = Object.keys(all[0] as F);
  return Object.fromEntries(names.map((name) => [name, median(all.map((one) => one[name] as number))])) as F;
}

/** For an even number of values, the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const around = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]] as [number, number];
  return (around[0] + around[1]) / 2;
}

/** Formats a number with three significant digits, about the precision of these measurements. */
export function threeDigits(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en', { maximumSignificantDigits: 3 });
}
