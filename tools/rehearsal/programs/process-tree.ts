import { existsSync, readFileSync } from 'node:fs';

/** Clock ticks per second in /proc; the same on every Linux that Node supports. */
const TICKS = 100;

/** Ids of a process and its descendants; on systems other than Linux, of the process only. */
export function processTree(pid: number): number[] {
  const file = `/proc/${pid}/task/${pid}/children`;
  if (!existsSync(file)) return [pid];
  const children = readFileSync(file, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  return [pid, ...children.flatMap(processTree)];
}

/** CPU seconds of a process and its descendants, including exited ones; 0 on systems other than Linux. */
export function cpuSeconds(pid: number): number {
  return processTree(pid).reduce((sum, one) => sum + ticks(one), 0) / TICKS;
}

/** @throws Error on systems without CPU times in /proc */
export function checkCpuTimes(what: string): void {
  if (process.platform !== 'linux')
    throw new Error(`${what} requires Linux, because it reads CPU times from /proc, got ${process.platform}.`);
}

/** CPU ticks of a process and of the children that it has waited for. */
function ticks(pid: number): number {
  try {
    // The second field is the program's name in parentheses, which may contain spaces.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  } catch {
    return 0;
  }
}
