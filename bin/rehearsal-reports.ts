import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { rehearsals } from '../tools/docs/rehearsals';

const ROOT = resolve(__dirname, '..');

/**
 * `npm run docs:rehearsals [-- NAME...]`: runs the rehearsals of docs/rehearsals/README.md, all or those named, one after the
 * other, and writes their reports beside that page. Exit code 1 when a rehearsal ended with another code than 0.
 */
function makeReports(names: readonly string[]): number {
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

process.exitCode = makeReports(process.argv.slice(2));
