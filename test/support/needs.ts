import { checkPrograms } from '../../tools/support/doctor';

/**
 * `describe` for tests that need a system program. Skips them if it is missing; `skip-reporter.js` then prints the install command.
 *
 * @param program name of the program in `npm run doctor`
 */
export function describeWith(
  program: 'chromium' | 'moto server' | 'cfn-lint' | 'shellcheck' | 'redis-server' | 'haproxy' | 'pgbouncer' | 'h2load',
  name: string,
  tests: () => void,
): void {
  const [check] = checkPrograms([program]);
  if (check === undefined) throw new Error(`npm run doctor has no program "${program}"`);
  if (check.found !== undefined) describe(name, tests);
  else describe.skip(`${name} [${program} is missing: ${check.install}]`, tests);
}
