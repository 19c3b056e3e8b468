import { execFileSync } from 'node:child_process';
import { POSTGRES_MAJOR } from '../../../../lib/constants';
import { findBinaries } from '../../../../tools/support/programs';

test('PostgreSQL here is a released server of the major version on the servers', () => {
  const version = execFileSync(findBinaries().postgres, ['--version'], { encoding: 'utf8' }).trim();
  // A pre-release would be 17beta1 or 17rc1.
  expect(version).toMatch(new RegExp(`^postgres \\(PostgreSQL\\) ${POSTGRES_MAJOR}\\.\\d+$`));
});
