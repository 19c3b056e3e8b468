/** Figures of one measurement by name; their unit is part of the name. */
export type Figures = Readonly<Record<string, number>>;

export interface BenchOptions {
  /** Times that each is measured, one after the other in turn. */
  readonly rounds: number;
  /** Whether the figures are printed as JSON, and progress is not. */
  readonly json: boolean;
}

/**
 * Measures each of several things in interleaved rounds, so that a slow moment of the machine meets all of them, and returns
 * the medians of their figures. One round more comes first and does not count: it fills the caches.
 */
export async function measureInterleaved<Name extends string, F extends Figures>(
  measurements: Readonly<Record<Name, () => Promise<F>>>,
  { rounds, json }: BenchOptions,
): Promise<Record<Name, F>> {
  const names = Object.keys(measurements) as Name[];
  const seen = new Map<Name, F[]>(names.map((name) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const name of names) {
      const figures = await measurements[name]();
      if (round > 0) seen.get(name)?.push(figures);
      const shown = Object.entries(figures).map(([figure, value]) => `${figure} ${threeDigits(value)}`);
      if (!json)
        console.error(`  … ${round > 0 ? `round ${round} of ${rounds}` : 'warm-up'}: ${name}: ${shown.join(', ')}`);
    }
  }
  return Object.fromEntries(names.map((name) => [name, medians(seen.get(name) as F[])])) as Record<Name, F>;
}

function medians<F extends Figures>(all: readonly F[]): F {
  const names = Object.keys(all[0] as F);
  return Object.fromEntries(names.map((name) => [name, median(all.map((one) => one[name] as number))])) as F;
}

/** Of an even number of values, the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const around = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]] as [number, number];
  return (around[0] + around[1]) / 2;
}

/** Three digits are all that a measurement here is good for. */
export function threeDigits(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en', { maximumSignificantDigits: 3 });
}
