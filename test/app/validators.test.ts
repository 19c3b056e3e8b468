import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileValidators } from '../../tools/support/compile-validators';

const DIR = join(__dirname, '../../app/http/validators');

test('the committed validators match app/routes/schemas.ts (run npm run validators)', () => {
  const committed = readdirSync(DIR).map((file) => [file, readFileSync(join(DIR, file), 'utf8')]);
  expect(Object.fromEntries(committed)).toEqual(compileValidators());
});
