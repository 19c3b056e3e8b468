import { type Load, peakRate } from '../traffic/profiles';
import type { Scenario } from './scenario';

/**
 * Share of the rate at which no processor time is left that a machine carries in an open load: requests come at random, and
 * servers that start, databases and the generator itself need room beside them.
 */
export const HEADROOM = 0.6;

/** Whether the first thing to give way is this machine. Servers with a quota, an overload or a ramp are there to show their own limit. */
export function mayCalibrate({ vcpu, overload, load }: Scenario): boolean {
  return vcpu === undefined && !overload && load.profile !== 'ramp';
}

/** Share of that for an evolution: it is calibrated in its first phase, and each later one has more parts to start and to run. */
const OF_EVOLUTION = 0.5;

/**
 * Requests per second that a machine carries, rounded down to two digits and at least 1.
 *
 * @param saturated see `calibration.ts`
 */
export function carriedRate(saturated: number, { until }: Pick<Scenario, 'until'> = {}): number {
  const carried = saturated * HEADROOM * (until === undefined ? 1 : OF_EVOLUTION);
  if (!(carried >= 1)) return 1;
  const digit = 10 ** Math.max(0, Math.floor(Math.log10(carried)) - 1);
  return Math.floor(carried / digit) * digit;
}

/** The `--rps` whose peak this machine carries. */
export function rpsWithin(load: Load, carried: number): number {
  return Math.max(1, Math.floor((carried * load.rps) / peakRate(load)));
}

/** The scenario with a default rate that this machine carries; a rate that was given stays. */
export function fitRate(scenario: Scenario, carried: number): Scenario {
  const { load, rpsIsDefault } = scenario;
  if (!rpsIsDefault || peakRate(load) <= carried) return scenario;
  return { ...scenario, load: { ...load, rps: rpsWithin(load, carried) } };
}

/** What the calibration means for a scenario, in one line. */
export function capacityLine(scenario: Scenario, carried: number): string {
  const { load, rpsIsDefault } = scenario;
  const found = `this machine carries ${carried} requests/s in this topology`;
  const peak = Math.round(peakRate(load));
  if (peak <= carried) return found;
  const within = rpsWithin(load, carried);
  if (rpsIsDefault) return `${found}: --rps is ${within} instead of ${load.rps}`;
  const top = peak === load.rps ? '' : `, ${peak} at its top,`;
  return `${found}: --rps ${load.rps}${top} is above that and may not be judged; try --rps ${within}`;
}
