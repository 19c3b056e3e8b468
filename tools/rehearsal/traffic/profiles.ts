/** Shapes of a load over time. */
export const PROFILES = ['steady', 'ramp', 'spike', 'black-friday'] as const;

export interface Load {
  readonly profile: (typeof PROFILES)[number];
  /** Base rate in requests per second; the profile multiplies it. */
  readonly rps: number;
  readonly seconds: number;
  /** Only for `spike`: peak rate as a multiple of `rps`. */
  readonly factor: number;
}

/** Points of a profile: share of the duration, and multiple of the base rate; linear in between. */
type Shape = readonly (readonly [share: number, multiple: number])[];

/**
 * A day of sales: a quiet night, early visitors, a rush at the opening, a long day at about half of that rate, a second rush
 * in the evening, and the decline.
 */
const BLACK_FRIDAY: Shape = [
  [0, 0.2],
  [0.15, 0.3],
  [0.2, 0.8],
  [0.23, 5],
  [0.32, 4],
  [0.45, 2.5],
  [0.65, 2.5],
  [0.72, 4],
  [0.8, 3.5],
  [0.9, 1],
  [1, 0.5],
];

/** The first quarter shows normal load; the last part shows the recovery. */
const spike = (factor: number): Shape => [
  [0, 1],
  [0.25, 1],
  [0.27, factor],
  [0.55, factor],
  [0.57, 1],
  [1, 1],
];

function shapeOf({ profile, factor }: Load): Shape {
  switch (profile) {
    case 'steady':
      return [
        [0, 1],
        [1, 1],
      ];
    case 'ramp':
      return [
        [0, 0.1],
        [1, 1],
      ];
    case 'spike':
      return spike(factor);
    case 'black-friday':
      return BLACK_FRIDAY;
  }
}

/** Returns the rate at a time in requests per second; 0 outside the load's duration. */
export function rateAt(load: Load, second: number): number {
  const share = second / load.seconds;
  if (share < 0 || share > 1) return 0;
  const shape = shapeOf(load);
  const next = Math.max(
    1,
    shape.findIndex(([at]) => at >= share),
  );
  const [from, low] = shape[next - 1] as Shape[number];
  const [to, high] = shape[next] as Shape[number];
  return load.rps * (low + ((high - low) * (share - from)) / (to - from));
}

/** A part of a load's duration, in seconds. */
export interface Part {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/** Parts of a `spike`: before it, at its peak, and after it. */
export function spikeParts({ seconds }: Load): readonly [Part, Part, Part] {
  const [, rise, peak, fall, after] = spike(1).map(([share]) => share * seconds) as [
    number,
    number,
    number,
    number,
    number,
  ];
  return [
    { name: 'before', from: 0, to: rise },
    { name: 'at the peak', from: peak, to: fall },
    { name: 'after', from: after, to: seconds },
  ];
}

/** Returns the peak rate of the load. */
export function peakRate(load: Load): number {
  return load.rps * Math.max(...shapeOf(load).map(([, multiple]) => multiple));
}

/** Returns the expected number of requests of the load. */
export function totalRequests(load: Load): number {
  const shape = shapeOf(load);
  const mean = shape.slice(1).reduce((sum, [to, high], index) => {
    const [from, low] = shape[index] as Shape[number];
    return sum + ((low + high) / 2) * (to - from);
  }, 0);
  return load.rps * load.seconds * mean;
}
