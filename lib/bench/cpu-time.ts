import { readdirSync, readFileSync } from 'node:fs';

/** Ticks a second of the clocks in /proc; Linux tells programs 100 on every architecture that this runs on. */
const TICKS = 100;

/**
 * CPU time in seconds of a process and its descendants, with that of children that have ended.
 *
 * @throws where there is no /proc
 */
export function cpuSeconds(root: number): number {
  const stats = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        // The name of the program is in brackets, and may hold blanks.
        const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
          .replace(/^.*\) /s, '')
          .split(' ')
          .map(Number);
        const [, parent = 0] = fields;
        return [{ pid: Number(pid), parent, ticks: fields.slice(11, 15).reduce((sum, one) => sum + one, 0) }];
      } catch {
        // It ended just now.
        return [];
      }
    });
  const family = new Set([root]);
  for (let size = 0; size < family.size; ) {
    size = family.size;
    for (const { pid, parent } of stats) if (family.has(parent)) family.add(pid);
  }
  return stats.reduce((sum, { pid, ticks }) => sum + (family.has(pid) ? ticks : 0), 0) / TICKS;
}
