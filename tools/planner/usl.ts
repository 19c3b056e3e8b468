/** Measured throughput of a number of equal servers. */
export interface UslPoint {
  readonly servers: number;
  /** Requests/s. */
  readonly rps: number;
}

/**
 * The Universal Scalability Law: throughput of N servers that contend for shared resources (`sigma`) and keep data
 * coherent pairwise (`kappa`).
 *
 * @see https://www.perfdynamics.com/Manifesto/USLscalability.html
 */
export interface Usl {
  /** Requests/s of one server. */
  readonly lambda: number;
  /** Contention: serial share of the work, 0 to below 1. */
  readonly sigma: number;
  /** Coherency cost per pair of servers, 0 or more. Above 0, throughput peaks at a finite number of servers. */
  readonly kappa: number;
  /** Measurements used for the fit. */
  readonly points: readonly UslPoint[];
}

/** Total throughput of `servers`, in requests/s. */
export function throughput({ lambda, sigma, kappa }: Omit<Usl, 'points'>, servers: number): number {
  return (lambda * servers) / (1 + sigma * (servers - 1) + kappa * servers * (servers - 1));
}

/** Number of servers at which throughput peaks; `Infinity` without coherency cost. */
export function bestServers({ sigma, kappa }: Pick<Usl, 'sigma' | 'kappa'>): number {
  if (kappa === 0) return Number.POSITIVE_INFINITY;
  return Math.max(1, Math.sqrt((1 - sigma) / kappa));
}

/**
 * Fits the law to measurements by least squares.
 *
 * The form `servers / rps = a + b (servers - 1) + c servers (servers - 1)`, with `lambda = 1/a`, `sigma = b/a` and
 * `kappa = c/a`, is linear. Errors are relative, because throughput errors grow with throughput. A negative `sigma` or
 * `kappa` is noise: then the best fit with one or both fixed at 0 is used.
 *
 * @throws when a point is not positive, or for fewer than three distinct numbers of servers
 */
export function fitUsl(points: readonly UslPoint[]): Usl {
  for (const { servers, rps } of points) {
    if (!(Number.isFinite(servers) && servers >= 1)) throw new Error(`USL: servers must be 1 or more, got ${servers}`);
    if (!(Number.isFinite(rps) && rps > 0)) throw new Error(`USL: rps must be above 0, got ${rps}`);
  }
  const counts = new Set(points.map(({ servers }) => servers));
  if (counts.size < 3) {
    throw new Error(`USL: distinct numbers of servers must be at least 3, got ${counts.size}`);
  }

  const terms = [() => 1, (n: number) => n - 1, (n: number) => n * (n - 1)] as const;
  const fits = [[0], [0, 1], [0, 2], [0, 1, 2]].map((chosen) => {
    const columns = chosen.map((term) => points.map(({ servers: n, rps }) => ((terms[term]?.(n) ?? 0) * rps) / n));
    const { factors, residual } = leastSquares(columns, points.length);
    const [a = 0, b = 0, c = 0] = [0, 1, 2].map((term) => factors[chosen.indexOf(term)] ?? 0);
    return { lambda: 1 / a, sigma: b / a, kappa: c / a, possible: a > 0 && b >= 0 && b < a && c >= 0, residual };
  });
  // Never empty: with both at 0, `a` is a mean of positive values.
  const [best] = fits.filter(({ possible }) => possible).sort((one, other) => one.residual - other.residual);
  const { lambda, sigma, kappa } = best as (typeof fits)[number];
  return { lambda, sigma, kappa, points };
}

/** Solves for a right-hand side of ones by Gram-Schmidt, which is more accurate than the normal equations. */
function leastSquares(columns: readonly number[][], rows: number): { factors: number[]; residual: number } {
  const size = columns.length;
  const basis: number[][] = [];
  const upper = columns.map((column, at) => {
    let rest = column;
    const row = basis.map((unit) => {
      const share = dot(unit, rest);
      rest = rest.map((value, i) => value - share * (unit[i] as number));
      return share;
    });
    const length = Math.sqrt(dot(rest, rest));
    basis[at] = rest.map((value) => value / length);
    return [...row, length];
  });

  let rest: number[] = new Array(rows).fill(1);
  const target = basis.map((unit) => {
    const share = dot(unit, rest);
    rest = rest.map((value, i) => value - share * (unit[i] as number));
    return share;
  });
  const factors: number[] = new Array(size).fill(0);
  for (let at = size - 1; at >= 0; at--) {
    const later = factors.reduce((sum, factor, i) => (i > at ? sum + factor * (upper[i]?.[at] as number) : sum), 0);
    factors[at] = ((target[at] as number) - later) / (upper[at]?.[at] as number);
  }
  return { factors, residual: dot(rest, rest) };
}

function dot(one: readonly number[], other: readonly number[]): number {
  return one.reduce((sum, value, i) => sum + value * (other[i] as number), 0);
}
