import { type Load, peakRate } from '../traffic/profiles';
import type { Scenario } from './scenario';

/**
 * Sustainable open-loop rate as a share of the saturation throughput. The rest absorbs bursts, server starts, and the work of
 * databases and the generator.
 */
export const HEADROOM = 0.6;

/** Whether this machine is the expected bottleneck. CPU quotas, overloads and ramps are meant to reach the servers' own limit. */
export function shouldCalibrate({ vcpu, overload, load }: Scenario): boolean {
  return vcpu === undefined && !overload && load.profile !== 'ramp';
}

/** Further reduction for an evolution: it is calibrated in its first phase, and each later phase runs more processes. */
const EVOLUTION_SHARE = 0.25;

/**
 * Returns the rate that a machine carries in requests per second, rounded down to two digits, at least 1.
 *
 * @param saturated saturation throughput, see `calibration.ts`
 */
export function carriedRate(saturated: number, { until }: Pick<Scenario, 'until'> = {}): number {
  const carried = saturated * HEADROOM * (until === undefined ? 1 : EVOLUTION_SHARE);
  if (!(carried >= 1)) return 1;
  const digit = 10 ** Math.max(0, Math.floor(Math.log10(carried)) - 1);
  return Math.floor(carried / digit) * digit;
}

/** Returns the highest `--rps` whose peak this machine carries. */
export function rpsWithin(load: Load, carried: number): number {
  return Math.max(1, Math.floor((carried * load.rps) / peakRate(load)));
}

/** Lowers a default rate to what this machine carries. An explicit rate stays. */
export function fitRate(scenario: Scenario, carried: number): Scenario {
  const { load, rpsIsDefault } = scenario;
  if (!rpsIsDefault || peakRate(load) <= carried) return scenario;
  return { ...scenario, load: { ...load, rps: rpsWithin(load, carried) } };
}

/** Describes the result of a calibration in one line. */
export function capacityLine(scenario: Scenario, carried: number): string {
  const { load, rpsIsDefault } = scenario;
  const found = `this machine carries ${carried} requests/s in this topology`;
  const peak = Math.round(peakRate(load));
  if (peak <= carried) return found;
  const within = rpsWithin(load, carried);
  if (rpsIsDefault) return `${found}: --rps is lowered from ${load.rps} to ${within}`;
  const atPeak = peak === load.rps ? '' : ` (peak ${peak})`;
  return `${found}: --rps ${load.rps}${atPeak} exceeds that, so the run may not be judged; try --rps ${within}`;
}
