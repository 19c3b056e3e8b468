import { existsSync, readFileSync } from 'node:fs';

/** Clock ticks a second in which the kernel tells CPU times; the same on every Linux that Node runs on. */
const TICKS = 100;

/** The process and all that it started, as far as the system tells: on Linux only. */
export function processTree(pid: number): number[] {
  const file = `/proc/${pid}/task/${pid}/children`;
  if (!existsSync(file)) return [pid];
  const children = readFileSync(file, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  return [pid, ...children.flatMap(processTree)];
}

/** CPU seconds of a process and all that it started, those that have ended included; 0 where the system does not tell. */
export function cpuSeconds(pid: number): number {
  return processTree(pid).reduce((sum, one) => sum + ticks(one), 0) / TICKS;
}

/** @throws where the system does not tell CPU times, for whoever can do nothing without */
export function checkCpuTimes(what: string): void {
  if (process.platform !== 'linux') throw new Error(`${what} reads /proc, which ${process.platform} has not`);
}

/** Of the process, and of children that it has waited for. */
function ticks(pid: number): number {
  try {
    // The second field is the program's name in parentheses, and may hold anything.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  } catch {
    return 0;
  }
}
