import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileValidators } from '../tools/support/compile-validators';

/** `npm run validators`: compiles the schemas of requests. */
const dir = join(__dirname, '..', 'app', 'http', 'validators');
mkdirSync(dir, { recursive: true });
for (const [file, source] of Object.entries(compileValidators())) writeFileSync(join(dir, file), source);
