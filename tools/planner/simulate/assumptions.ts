import type { Mark } from '../scaling/profile';
import { type SimulationOptions, THRASH_WINDOW } from './simulate';

export interface Assumption {
  readonly mark: Mark | 'given' | 'template';
  readonly text: string;
}

/** Origins of the values that a template does not contain. */
export interface Origins {
  readonly servers: 'given' | 'assumed';
  readonly rps: 'given' | 'assumed';
  readonly serverRps: 'given' | 'assumed';
  readonly appStart: 'given' | 'assumed';
  readonly metricDelay: 'given' | 'assumed';
  readonly boot: 'given' | Mark;
  /** Source of `spotLossPerMonth`, as text; unset when given. */
  readonly spotLoss?: string;
}

/** Lists the assumptions of a run, with their evidence. */
export function assumptionsOf(options: SimulationOptions, origins: Origins): Assumption[] {
  const { group, profile, traffic, requestsPerServer } = options;
  const kinds = new Set(group.policies.map(({ kind }) => kind));
  const acting = group.policies.filter((policy) => policy.kind !== 'predictive' || policy.mode === 'ForecastAndScale');
  const predictive = group.policies.find((policy) => policy.kind === 'predictive');
  const tracks = group.policies.some((one) => one.kind === 'target tracking' && one.metric === 'requestsPerTarget');
  const workers = group.policies.some((one) => one.kind === 'target tracking' && one.metric === 'backlogPerInstance');
  const spot = group.purchase.onDemandPercentage < 100;
  const when = (holds: boolean, mark: Assumption['mark'], text: string): Assumption[] =>
    holds ? [{ mark, text }] : [];
  const per = workers ? 'jobs' : 'requests';
  return [
    ...when(
      true,
      origins.serverRps,
      `One server handles ${round(requestsPerServer / 60)} ${per}/s at 100% CPU, and CPU is proportional to ${per}.`,
    ),
    ...when(
      traffic.ordinaryRps !== undefined,
      origins.rps,
      `Baseline traffic is ${round(traffic.ordinaryRps ?? 0)} ${per}/s.`,
    ),
    ...when(true, origins.servers, `The run starts with ${options.desired ?? group.minSize} warm servers in service.`),
    ...when(!workers, 'assumed', 'Requests beyond the capacity of a minute are dropped and not retried.'),
    ...when(workers, 'assumed', 'Jobs beyond the capacity wait in the queue without a limit.'),
    ...when(true, origins.boot, `A server is in service ${profile.boot} s after its launch.`),
    ...when(true, origins.appStart, `The app responds ${options.appStart} s after that.`),
    ...when(
      group.healthCheckSeconds > 0,
      'template',
      `Then the load balancer needs ${group.healthCheckSeconds} s of health checks.`,
    ),
    ...when(
      group.healthCheckType === 'ELB',
      'doc',
      `A server that is unhealthy ${group.healthCheckGrace} s after it entered service is replaced, at most 10% of the group at a time.`,
    ),
    ...when(true, origins.metricDelay, `CloudWatch metrics are ${options.metricDelay} s late.`),
    ...when(!group.detailedMonitoring, 'doc', 'CPU is published every 5 minutes (basic monitoring).'),
    ...when(!group.detailedMonitoring, 'assumed', 'A five-minute data point applies to each of its minutes.'),
    ...when(
      acting.length > 0,
      'doc',
      'An alarm in ALARM state invokes its policy every minute. The policy with the largest capacity wins.',
    ),
    ...when(
      acting.length > 0,
      'seen',
      `An alarm changes the desired capacity after ${profile.actionDelay} s (6 to 33 s in event logs).`,
    ),
    ...when(
      kinds.has('target tracking'),
      'seen',
      `Target tracking scales out after ${profile.scaleOutPoints} of ${profile.scaleOutPoints} minutes above the target, and in after ${profile.scaleInPoints} of ${profile.scaleInPoints} minutes below ${round(profile.scaleInShare * 100)}% of it.`,
    ),
    ...when(
      kinds.has('target tracking'),
      'assumed',
      `Target tracking sets servers x metric / target, rounded up, and removes at most ${round(profile.maxScaleInShare * 100)}% of the group per minute.`,
    ),
    ...when(
      kinds.has('target tracking') || kinds.has('step'),
      'doc',
      'Warming servers count as capacity, are excluded from the CPU of the group, and prevent scale-in.',
    ),
    ...when(tracks, 'assumed', 'Requests per target include dropped requests and warming servers.'),
    ...when(
      kinds.has('simple'),
      'doc',
      'A simple scaling policy waits until its servers are launched or terminated, and then for the cooldown.',
    ),
    ...when(
      group.schedule.length > 0,
      'assumed',
      'Scheduled actions run on time. AWS documents delays of up to 2 minutes.',
    ),
    ...when(
      predictive?.kind === 'predictive' && predictive.mode === 'ForecastOnly',
      'template',
      'Predictive scaling only forecasts (ForecastOnly) and changes nothing.',
    ),
    ...when(
      predictive?.kind === 'predictive' && predictive.mode === 'ForecastAndScale' && options.expected === undefined,
      'assumed',
      'The forecast is the same hour a week ago, or a day ago in the first week. AWS does not publish its model.',
    ),
    ...when(
      spot,
      origins.spotLoss === undefined ? 'given' : 'assumed',
      `EC2 interrupts ${round(options.spotLossPerMonth * 100)}% of the spot servers a month, independently of each other${origins.spotLoss ? ` (${origins.spotLoss})` : ''}, with 2 minutes' notice.`,
    ),
    ...when(true, 'assumed', `A server is billed from its launch until it has drained (${group.drainSeconds} s).`),
    ...when(
      acting.length > 0,
      'assumed',
      `Thrash is a change that reverses one of the previous ${THRASH_WINDOW / 60} minutes.`,
    ),
    ...group.notModelled.map((text): Assumption => ({ mark: 'assumed', text: `Not modeled: ${text}` })),
  ];
}

export function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}
