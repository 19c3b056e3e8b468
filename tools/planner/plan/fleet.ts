import { throughput } from '../usl';
import { type PlanInput, UTILIZATION_AFTER_LOSS, ZONES } from './workload';

/** Smallest fleet that survives the loss of one server. */
export const MIN_SERVERS = 2;

/** Throughput by number of servers: the measured scalability law, or linear scaling from the service demand. */
export interface FleetLaw {
  /** Requests/s of one server at 100% CPU. */
  readonly lambda: number;
  readonly sigma: number;
  readonly kappa: number;
}

/**
 * @param vcpus of each server
 * @param secondsPerRequest CPU time of a mean request
 */
export function fleetLaw({ usl }: PlanInput, vcpus: number, secondsPerRequest: number): FleetLaw {
  if (!usl) return { lambda: vcpus / secondsPerRequest, sigma: 0, kappa: 0 };
  const { lambda, sigma, kappa } = usl;
  return { lambda: usl.vcpus ? (lambda * vcpus) / usl.vcpus : lambda, sigma, kappa };
}

/** Requests/s within all laws: at the target utilization, after the loss of one server, and after the loss of a zone. */
export function fleetCapacity(laws: readonly FleetLaw[], servers: number, utilization: number): number {
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

/** Smallest number of servers that carries `rps`; undefined when `maximum` servers do not. */
export function serversFor(
  laws: readonly FleetLaw[],
  rps: number,
  utilization: number,
  maximum: number,
): number | undefined {
  for (let servers = MIN_SERVERS; servers <= maximum; servers++) {
    if (fleetCapacity(laws, servers, utilization) >= rps) return servers;
  }
  return undefined;
}
