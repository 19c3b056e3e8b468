import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/**
 * Whether benchmarked processes run on the first CPU and all others on the rest, so that they do not compete. Needs `taskset`
 * (Linux) and two CPUs.
 */
export const pinned = availableParallelism() > 1 && spawnSync('taskset', ['--version']).status === 0;

const TARGET = '0';
const SUPPORT = `1-${availableParallelism() - 1}`;

/** Pins a process and its future children to the CPUs of the benchmarked processes (`target`) or of all others (`support`). */
export function pinCpus(pid: number, where: 'target' | 'support'): void {
  const cpus = where === 'target' ? TARGET : SUPPORT;
  if (pinned) spawnSync('taskset', ['--all-tasks', '--cpu-list', '--pid', cpus, String(pid)]);
}

/** Wraps a command so that it runs on the CPUs that the benchmarked processes do not use. */
export function onSupportCpus(command: readonly [string, ...string[]]): [string, ...string[]] {
  return pinned ? ['taskset', '--cpu-list', SUPPORT, ...command] : [...command];
}
