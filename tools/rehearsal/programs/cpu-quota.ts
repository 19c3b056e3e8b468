import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runOnProcessExit } from '../../support/processes';

/** A control group that limits processes to the CPU time of a server's vCPUs. */
export interface CpuQuota {
  /** Path of the control group. */
  readonly dir: string;
  /** Adds processes to the group, and with them their later children. Ignores processes that have exited. */
  confine(pids: readonly number[]): void;
  resize(vcpu: number): void;
  /** Removes the group once its processes have exited. Safe to call twice. */
  stop(): Promise<void>;
}

/** Creates CPU quotas. When this process exits, remaining groups are removed once their processes have exited. */
export interface CpuQuotas {
  /**
   * @param name unique in this process
   * @param vcpu such as 0.1
   */
  create(name: string, vcpu: number): CpuQuota;
}

/**
 * CFS period in microseconds. With the kernel's default of 100 ms, a server of 0.1 vCPU would stall for 90 ms at a time, which
 * its load shedding takes for overload.
 */
const PERIOD = 20_000;

/** Files in which the kernel lists control groups; tests pass other ones. */
const KERNEL = { mounts: '/proc/self/mounts', own: '/proc/self/cgroup' };

/**
 * Finds a control group in which this user can create child groups with a CPU quota.
 *
 * @returns undefined when there is none: on other systems than Linux, or without permission
 * @see https://docs.kernel.org/admin-guide/cgroup-v2.html
 */
export function findCpuQuotas(kernel = KERNEL): CpuQuotas | undefined {
  if (!existsSync(kernel.mounts) || !existsSync(kernel.own)) return undefined;
  const parent = [...parentsV1(kernel), ...parentsV2(kernel)].find(canLimit);
  if (parent === undefined) return undefined;
  const prefix = `shop-${process.pid}-`;
  runOnProcessExit(REMOVE_ALL, [join(parent.dir, prefix)]);
  return { create: (name, vcpu) => create(parent, prefix + name, vcpu) };
}

/** Retries, because child processes exit shortly after this one. */
const REMOVE_ALL = 'for _ in $(seq 600); do ls -d "$1"* || exit; rmdir "$1"*; sleep 0.1; done';

interface Parent {
  readonly dir: string;
  readonly version: 1 | 2;
}

function parentsV1(kernel: typeof KERNEL): Parent[] {
  const mount = mounts(kernel, 'cgroup').find(({ options }) => options.includes('cpu'));
  if (mount === undefined) return [];
  const own = ownGroups(kernel).find(({ controllers }) => controllers.includes('cpu'))?.path ?? '/';
  // In a container, the path may be the host's and not exist.
  return [join(mount.dir, own), mount.dir].map((dir) => ({ dir, version: 1 }));
}

/** Nearest ancestor first. The group of this process cannot delegate controllers, because it contains processes. */
function parentsV2(kernel: typeof KERNEL): Parent[] {
  const mount = mounts(kernel, 'cgroup2')[0];
  const own = ownGroups(kernel)
    .find(({ id }) => id === '0')
    ?.path.split('/')
    .filter(Boolean);
  if (mount === undefined || own === undefined) return [];
  const depths = Array.from({ length: Math.max(1, own.length) }, (_, index) => own.length - 1 - index);
  return depths.map((depth) => ({ dir: join(mount.dir, ...own.slice(0, Math.max(0, depth))), version: 2 }));
}

function mounts({ mounts }: typeof KERNEL, type: string): { dir: string; options: string[] }[] {
  return lines(mounts)
    .map((line) => line.split(' '))
    .filter((fields) => fields[2] === type)
    .map(([, dir = '', , options = '']) => ({ dir, options: options.split(',') }));
}

/** Lines such as `4:cpu,cpuacct:/user.slice` (version 1) and `0::/user.slice` (version 2). */
function ownGroups({ own }: typeof KERNEL): { id: string; controllers: string[]; path: string }[] {
  return lines(own)
    .map((line) => line.split(':'))
    .map(([id = '', controllers = '', path = '/']) => ({ id, controllers: controllers.split(','), path }));
}

function lines(file: string): string[] {
  return readFileSync(file, 'utf8').trim().split('\n');
}

/** Tries it out, because permissions, read-only mounts and delegation can each prevent it. */
function canLimit(parent: Parent): boolean {
  const name = `shop-${process.pid}-probe`;
  try {
    create(parent, name, 1);
    return true;
  } catch {
    return false;
  } finally {
    tryToRemove(join(parent.dir, name));
  }
}

function create({ dir: parent, version }: Parent, name: string, vcpu: number): CpuQuota {
  const dir = join(parent, name);
  const limit = (share: number) => {
    const quota = Math.round(share * PERIOD);
    if (version === 1) {
      writeExisting(join(dir, 'cpu.cfs_period_us'), String(PERIOD));
      writeExisting(join(dir, 'cpu.cfs_quota_us'), String(quota));
    } else {
      writeExisting(join(dir, 'cpu.max'), `${quota} ${PERIOD}`);
    }
  };
  mkdirSync(dir);
  limit(vcpu);
  return {
    dir,
    confine: (pids) => {
      for (const pid of pids) move(pid, dir);
    },
    resize: limit,
    stop: async () => {
      while (!tryToRemove(dir)) await sleep(20);
    },
  };
}

/** Writes a file of a control group. When the file is missing, `dir` is no group or the controller is not delegated. */
function writeExisting(file: string, text: string): void {
  writeFileSync(file, text, { flag: 'r+' });
}

function move(pid: number, dir: string): void {
  try {
    writeExisting(join(dir, 'cgroup.procs'), String(pid));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function tryToRemove(dir: string): boolean {
  try {
    rmdirSync(dir);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
  return true;
}
