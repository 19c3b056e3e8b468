import { GroupController, type Observed } from '../planner/scaling/group-controller';
import { profiles } from '../planner/scaling/profile';
import type { ScalingGroup } from '../planner/scaling/scaling-group';
import { firstLine, type Part } from './parts';
import type { ServerGroup } from './server-group';

export interface ScalingLoopOptions {
  /** What the template says of the group. */
  readonly group: ScalingGroup;
  readonly servers: ServerGroup;
  /** Cloud seconds that pass in a second here. */
  readonly timeScale: number;
  /**
   * Looks from then on.
   *
   * @default - at once
   */
  readonly begin?: Promise<void> | undefined;
  /**
   * Messages in the queue that the group works on.
   *
   * @default - it works on none
   */
  readonly backlog?: () => Promise<number>;
  readonly tell: (what: string) => void;
}

/** Milliseconds between two looks. */
const LOOK = 500;

/** Cloud time begins at noon UTC, far from the hours at which scheduled actions are set. */
const NOON = Date.UTC(2026, 0, 5, 12) / 1000;

/** What was counted when it was looked at last. */
interface Look {
  readonly at: number;
  readonly cpuSeconds: ReadonlyMap<string, number>;
  readonly requests: ReadonlyMap<string, number>;
}

/** Stands for EC2 Auto Scaling: watches the servers of a group, and sets how many there are as its policies say. */
export function startScalingLoop(options: ScalingLoopOptions): Part {
  const { group, servers, timeScale, begin: begins, tell } = options;
  const controller = new GroupController(group, { profile: profiles.ec2, start: NOON, desired: servers.desired });
  let begin = performance.now();
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let before: Look | undefined;
  let looking: Promise<void> = Promise.resolve();

  const look = async () => {
    const snapshot = await servers.snapshot();
    const at = performance.now();
    const now: Look = {
      at,
      cpuSeconds: new Map(snapshot.map((server) => [server.name, server.cpuSeconds])),
      requests: new Map(snapshot.map((server) => [server.name, server.requests])),
    };
    const observed = await observe(options, controller.warming, before, now);
    before = now;
    for (const { from, desired, cause, why } of controller.step(NOON + ((at - begin) / 1000) * timeScale, observed)) {
      tell(`${from} → ${desired} ${group.id} by ${cause}: ${why}`);
      void servers.scale(desired);
    }
  };
  const start = () => {
    if (stopped) return;
    begin = performance.now();
    timer = setInterval(() => {
      looking = looking.then(look).catch((error: Error) => tell(`scaling: ${firstLine(error)}`));
    }, LOOK);
  };
  if (begins) void begins.then(start);
  else start();
  return {
    stop: async () => {
      stopped = true;
      clearInterval(timer);
      await looking;
    },
  };
}

async function observe(
  { servers, backlog }: ScalingLoopOptions,
  warming: number,
  before: Look | undefined,
  now: Look,
): Promise<Observed> {
  const names = servers.inService.map(({ name }) => name);
  const counts = { inService: names.length, draining: servers.draining };
  if (before === undefined || names.length === 0) return counts;
  const seconds = (now.at - before.at) / 1000;
  const rates = (of: 'cpuSeconds' | 'requests', over: readonly string[]) =>
    over.map((name) => ((now[of].get(name) ?? 0) - (before[of].get(name) ?? 0)) / seconds);
  // The newest are those that still warm up.
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
