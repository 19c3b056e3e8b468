import type { Mark } from '../scaling/profile';
import { type SimulationOptions, THRASH_WINDOW } from './simulate';

export interface Assumption {
  readonly mark: Mark | 'given' | 'template';
  readonly text: string;
}

/** Where the figures come from that a template does not hold. */
export interface Origins {
  readonly servers: 'given' | 'assumed';
  readonly rps: 'given' | 'assumed';
  readonly serverRps: 'given' | 'assumed';
  readonly appStart: 'given' | 'assumed';
  readonly metricDelay: 'given' | 'assumed';
  readonly boot: 'given' | Mark;
  /** How `spotLossPerMonth` was found, in words; unset when it was given. */
  readonly spotLoss?: string;
}

/** Everything that a run takes for granted, each with its mark. */
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
      `One server does ${round(requestsPerServer / 60)} ${per} a second at 100% CPU, and CPU grows with them.`,
    ),
    ...when(
      traffic.ordinaryRps !== undefined,
      origins.rps,
      `Ordinary traffic is ${round(traffic.ordinaryRps ?? 0)} ${per} a second.`,
    ),
    ...when(
      true,
      origins.servers,
      `It begins with ${options.desired ?? group.minSize} servers that serve and are warm.`,
    ),
    ...when(!workers, 'assumed', 'What the servers cannot answer within its minute is dropped; nobody comes back.'),
    ...when(workers, 'assumed', 'What the workers cannot do waits in the queue, for as long as it takes.'),
    ...when(true, origins.boot, `A server is in service ${profile.boot} s after its start.`),
    ...when(true, origins.appStart, `Its app answers ${options.appStart} s after that.`),
    ...when(
      group.healthCheckSeconds > 0,
      'template',
      `Then the balancer needs ${group.healthCheckSeconds} s of health checks.`,
    ),
    ...when(
      group.healthCheckType === 'ELB',
      'doc',
      `A server that does not serve ${group.healthCheckGrace} s after it came into service is replaced, 10% of the group at a time.`,
    ),
    ...when(true, origins.metricDelay, `CloudWatch is ${options.metricDelay} s behind.`),
    ...when(!group.detailedMonitoring, 'doc', 'CPU is published every 5 minutes (basic monitoring).'),
    ...when(!group.detailedMonitoring, 'assumed', 'A point of 5 minutes counts for each of its minutes.'),
    ...when(
      acting.length > 0,
      'doc',
      'An alarm that stays calls its policy every minute; the largest capacity that is asked for wins.',
    ),
    ...when(
      acting.length > 0,
      'seen',
      `From an alarm to the change: ${profile.actionDelay} s (6 to 33 s in event logs).`,
    ),
    ...when(
      kinds.has('target tracking'),
      'seen',
      `Target tracking scales out after ${profile.scaleOutPoints} of ${profile.scaleOutPoints} minutes above its target, and in after ${profile.scaleInPoints} of ${profile.scaleInPoints} below ${round(profile.scaleInShare * 100)}% of it.`,
    ),
    ...when(
      kinds.has('target tracking'),
      'assumed',
      `Out: servers x metric / target, rounded up. In: the same, but ${round(profile.maxScaleInShare * 100)}% of the group a minute at most.`,
    ),
    ...when(
      kinds.has('target tracking') || kinds.has('step'),
      'doc',
      'Servers that warm up count as added, are left out of the CPU of the group, and hold back scaling in.',
    ),
    ...when(tracks, 'assumed', 'Requests per target count what is dropped too, and servers that warm up.'),
    ...when(
      kinds.has('simple'),
      'doc',
      'A simple policy waits until its servers are there, or gone, and then for the cool-down.',
    ),
    ...when(group.schedule.length > 0, 'assumed', 'Scheduled actions are on time; AWS says up to 2 minutes late.'),
    ...when(
      predictive?.kind === 'predictive' && predictive.mode === 'ForecastOnly',
      'template',
      'Predictive scaling only shows its forecast (ForecastOnly) and changes nothing.',
    ),
    ...when(
      predictive?.kind === 'predictive' && predictive.mode === 'ForecastAndScale' && options.expected === undefined,
      'assumed',
      'The forecast is the same hour of a week ago, or of a day ago in the first week: a stand-in, AWS does not publish its model.',
    ),
    ...when(
      spot,
      origins.spotLoss === undefined ? 'given' : 'assumed',
      `EC2 takes back ${round(options.spotLossPerMonth * 100)}% of the spot servers a month, each by itself${origins.spotLoss ? ` (${origins.spotLoss})` : ''}, with 2 minutes' notice.`,
    ),
    ...when(true, 'assumed', `A server is paid for from its start until it has drained (${group.drainSeconds} s).`),
    ...when(
      acting.length > 0,
      'assumed',
      `Thrash is a change that undoes one of the ${THRASH_WINDOW / 60} minutes before.`,
    ),
    ...group.notModelled.map((text): Assumption => ({ mark: 'assumed', text: `Left out: ${text}` })),
  ];
}

export function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}
