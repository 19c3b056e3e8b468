import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/**
 * Whether what is measured gets the first processor and who measures the others, so that neither takes the other's time.
 * Linux can do that; elsewhere both share what there is.
 */
export const pinned = availableParallelism() > 1 && spawnSync('taskset', ['--version']).status === 0;

const MEASURED = '0';
const OTHERS = `1-${availableParallelism() - 1}`;

/** Puts a process, with all that it starts later, where what is measured runs, or with those beside it. */
export function pinCpus(pid: number, where: 'target' | 'support'): void {
  const processors = where === 'target' ? MEASURED : OTHERS;
  if (pinned) spawnSync('taskset', ['--all-tasks', '--cpu-list', '--pid', processors, String(pid)]);
}

/** The same command, beside what is measured. */
export function onSupportCpus(command: readonly [string, ...string[]]): [string, ...string[]] {
  return pinned ? ['taskset', '--cpu-list', OTHERS, ...command] : [...command];
}
