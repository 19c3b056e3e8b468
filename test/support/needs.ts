import { checkPrograms } from '../../tools/support/doctor';

/**
 * `describe` for tests that need a program of the system. Where it is missing they are skipped, and the end of the run says
 * so with the command that installs it (see `skip-reporter.js`).
 *
 * @param part name of the program in `npm run doctor`
 */
export function describeWith(
  part: 'chromium' | 'moto server' | 'cfn-lint' | 'shellcheck' | 'redis-server' | 'haproxy' | 'pgbouncer' | 'h2load',
  name: string,
  tests: () => void,
): void {
  const [check] = checkPrograms([part]);
  if (check === undefined) throw new Error(`npm run doctor knows no "${part}"`);
  if (check.found !== undefined) describe(name, tests);
  else describe.skip(`${name} [${part} is not here: ${check.install}]`, tests);
}
