import { GroupController, type Observed } from '../../planner/scaling/group-controller';
import { profiles } from '../../planner/scaling/profile';
import type { ScalingGroup } from '../../planner/scaling/scaling-group';
import { firstLine, type Part } from '../programs/parts';
import type { ServerGroup } from './server-group';

export interface ScalingLoopOptions {
  /** The group's scaling configuration, from the template. */
  readonly group: ScalingGroup;
  readonly servers: ServerGroup;
  /** Simulated seconds per second of wall-clock time. */
  readonly timeScale: number;
  /**
   * Policies are evaluated from then on.
   *
   * @default - immediately
   */
  readonly begin?: Promise<void> | undefined;
  /**
   * Returns the number of messages in the queue that the group processes.
   *
   * @default - no queue
   */
  readonly backlog?: () => Promise<number>;
  readonly onEvent: (what: string) => void;
}

/** Milliseconds between two samples. */
const SAMPLE_INTERVAL = 500;

/** Simulated time starts at noon UTC, away from the hours of the scheduled actions. */
const NOON = Date.UTC(2026, 0, 5, 12) / 1000;

/** Counters at one point in time. */
interface Sample {
  readonly at: number;
  readonly cpuSeconds: ReadonlyMap<string, number>;
  readonly requests: ReadonlyMap<string, number>;
}

/** Emulates EC2 Auto Scaling: samples the servers of a group, and sets the desired capacity by its policies. */
export function startScalingLoop(options: ScalingLoopOptions): Part {
  const { group, servers, timeScale, begin: begins, onEvent } = options;
  const controller = new GroupController(group, { profile: profiles.ec2, start: NOON, desired: servers.desired });
  let begin = performance.now();
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let before: Sample | undefined;
  let sampling: Promise<void> = Promise.resolve();

  const sample = async () => {
    const snapshot = await servers.snapshot();
    const at = performance.now();
    const now: Sample = {
      at,
      cpuSeconds: new Map(snapshot.map((server) => [server.name, server.cpuSeconds])),
      requests: new Map(snapshot.map((server) => [server.name, server.requests])),
    };
    const observed = await observe(options, controller.warming, before, now);
    before = now;
    for (const { from, desired, cause, why } of controller.step(NOON + ((at - begin) / 1000) * timeScale, observed)) {
      onEvent(`${from} → ${desired} ${group.id} by ${cause}: ${why}`);
      void servers.scale(desired);
    }
  };
  const start = () => {
    if (stopped) return;
    begin = performance.now();
    timer = setInterval(() => {
      sampling = sampling.then(sample).catch((error: Error) => onEvent(`scaling failed: ${firstLine(error)}`));
    }, SAMPLE_INTERVAL);
  };
  if (begins) void begins.then(start);
  else start();
  return {
    stop: async () => {
      stopped = true;
      clearInterval(timer);
      await sampling;
    },
  };
}

async function observe(
  { servers, backlog }: ScalingLoopOptions,
  warming: number,
  before: Sample | undefined,
  now: Sample,
): Promise<Observed> {
  const names = servers.inService.map(({ name }) => name);
  const counts = { inService: names.length, draining: servers.draining };
  if (before === undefined || names.length === 0) return counts;
  const seconds = (now.at - before.at) / 1000;
  const rates = (of: 'cpuSeconds' | 'requests', over: readonly string[]) =>
    over.map((name) => ((now[of].get(name) ?? 0) - (before[of].get(name) ?? 0)) / seconds);
  // The newest servers are still in warm-up.
  const warm = names.slice(0, Math.max(1, names.length - warming));
  const jobs = await backlog?.();
  return {
    ...counts,
    cpu: Math.min(100, (mean(rates('cpuSeconds', warm)) / (servers.vcpu ?? 1)) * 100),
    requestsPerTarget: mean(rates('requests', names)) * 60,
    ...(jobs !== undefined && { backlogPerInstance: jobs / names.length }),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
