import { throughput } from '../usl';
import { type PlanInput, UTILIZATION_AFTER_LOSS, ZONES } from './workload';

/** Servers that any fleet has at least; phase 3 as it is has five, and two are enough to lose one. */
export const LEAST_SERVERS = 2;

/** What a number of equal servers carries: the law that was measured, else a straight line through the service demand. */
export interface FleetLaw {
  /** Requests/s of one server at 100% CPU. */
  readonly lambda: number;
  readonly sigma: number;
  readonly kappa: number;
}

/**
 * @param vcpus of a server
 * @param secondsPerRequest CPU time of a mean request
 */
export function fleetLaw({ usl }: PlanInput, vcpus: number, secondsPerRequest: number): FleetLaw {
  if (!usl) return { lambda: vcpus / secondsPerRequest, sigma: 0, kappa: 0 };
  const { lambda, sigma, kappa } = usl;
  return { lambda: usl.vcpus ? (lambda * vcpus) / usl.vcpus : lambda, sigma, kappa };
}

/** Requests/s that the servers hold by all the laws: at the target, and after a loss of one server and of a zone. */
export function heldBy(laws: readonly FleetLaw[], servers: number, utilization: number): number {
  const after = (law: FleetLaw, lost: number) =>
    servers > lost ? throughput(law, servers - lost) * UTILIZATION_AFTER_LOSS : 0;
  return Math.min(
    ...laws.flatMap((law) => [
      throughput(law, servers) * utilization,
      after(law, 1),
      after(law, Math.ceil(servers / ZONES)),
    ]),
  );
}

/** The fewest servers that hold it, or undefined when no number up to `most` does. */
export function serversFor(
  laws: readonly FleetLaw[],
  rps: number,
  utilization: number,
  most: number,
): number | undefined {
  for (let servers = LEAST_SERVERS; servers <= most; servers++) {
    if (heldBy(laws, servers, utilization) >= rps) return servers;
  }
  return undefined;
}
