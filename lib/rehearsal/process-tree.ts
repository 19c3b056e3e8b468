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

/** CPU seconds that a process has used; 0 where the system does not tell. */
export function cpuSeconds(pid: number): number {
  try {
    // The second field is the program's name in parentheses, and may hold anything.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS;
  } catch {
    return 0;
  }
}
