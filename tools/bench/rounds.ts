/** Results of one measurement by name. The name includes the unit. */
export type Figures = Readonly<Record<string, number>>;

export interface BenchOptions {
  /** Number of times that each measurement runs. */
  readonly rounds: number;
  /** Print the results as JSON and no progress. */
  readonly json: boolean;
}

export interface AgainstOptions extends BenchOptions {
  /**
   * Commit whose shop is measured in the same rounds.
   *
   * @default - none
   */
  readonly against?: string | undefined;
}

/**
 * Runs several measurements in interleaved rounds, so that other load on the machine affects all of them alike. Returns the
 * medians, but the mean of `failedShare`: the median would hide the failures of a single round. An additional first round fills
 * the caches and is not counted.
 */
export async function measureInterleaved<M extends Measurements>(
  measurements: M,
  { rounds, json }: BenchOptions,
): Promise<Summaries<M>> {
  const results = new Map<string, Figures[]>();
  for (let round = 0; round <= rounds; round += 1) {
    for (const [name, measure] of Object.entries(measurements)) {
      const figures = await measure?.();
      if (figures === undefined) continue;
      if (round > 0) results.set(name, [...(results.get(name) ?? []), figures]);
      const shown = Object.entries(figures).map(([figure, value]) => `${figure} ${threeDigits(value)}`);
      if (!json)
        console.error(`  … ${round > 0 ? `round ${round} of ${rounds}` : 'warm-up'}: ${name}: ${shown.join(', ')}`);
    }
  }
  return Object.fromEntries([...results].map(([name, all]) => [name, summarize(all)])) as unknown as Summaries<M>;
}

/** Measurements by name. Absent ones are skipped. */
type Measurements = { readonly [name: string]: (() => Promise<Figures>) | undefined };

type Summaries<M extends Measurements> = {
  readonly [Name in keyof M]: M[Name] extends infer Measure
    ? Measure extends () => Promise<infer F>
      ? F
      : undefined
    : never;
};

function summarize(all: readonly Figures[]): Figures {
  const values = (name: string) => all.map((one) => one[name] as number);
  return Object.fromEntries(
    Object.keys(all[0] ?? {}).map((name) => [name, name === 'failedShare' ? mean(values(name)) : median(values(name))]),
  );
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
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

/** Formats a fraction as a percentage. */
export function percent(fraction: number): string {
  return `${threeDigits(fraction * 100)}%`;
}
