import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { rehearsals } from './rehearsals';

const ROOT = resolve(__dirname, '../..');

/**
 * Runs the rehearsals of `docs/rehearsals/README.md` one after the other, and writes their reports beside that page.
 *
 * @param names rehearsals to run; all if empty
 * @returns exit code: 1 if a rehearsal did not end with 0, 2 for an unknown name
 */
export function makeReports(names: readonly string[]): number {
  const known = rehearsals.map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    console.error(`NAME must be one of ${known.join(', ')}, got ${unknown}.`);
    return 2;
  }
  const failed = rehearsals
    .filter(({ name }) => names.length === 0 || names.includes(name))
    .filter(({ name, args }) => {
      const html = join('docs', 'rehearsals', `${name}.html`);
      console.log(`npm run rehearse -- ${args}`);
      const command = ['--import', 'tsx', 'bin/cli.ts', 'rehearse', ...args.split(' '), '--html', html];
      return spawnSync(process.execPath, command, { cwd: ROOT, stdio: 'inherit' }).status !== 0;
    });
  if (failed.length > 0) console.error(`Rehearsals that did not pass: ${failed.map(({ name }) => name).join(', ')}.`);
  return failed.length > 0 ? 1 : 0;
}
