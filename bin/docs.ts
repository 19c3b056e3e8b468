import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { withGeneratedParts } from '../lib/docs/generate';

/** `npm run docs`: writes the generated parts of the README. A test fails while they are stale. */
const file = resolve(__dirname, '../README.md');
writeFileSync(file, withGeneratedParts(readFileSync(file, 'utf8')));
