import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { evolveParts } from '../tools/docs/evolve';
import { type Parts, readmeParts, withGeneratedParts } from '../tools/docs/generate';
import { rehearsalParts } from '../tools/docs/rehearsals';
import { synthesizePhases } from '../tools/evolution/sources';
import type { NamedTemplate } from '../tools/evolution/template';

/** `npm run docs`: writes the generated parts of the pages. A test fails while they are stale. */
async function docs(): Promise<void> {
  // Where nothing is deployed beside the shop's stack.
  const region = 'us-east-1';
  const now = await synthesizePhases({ region });
  const grown = await synthesizePhases({ region, context: ['size=growth'] });
  const phases = new Map([1, 2, 3, 4].map((number) => [number, now.get(`phase-${number}`) as NamedTemplate]));
  write('README.md', readmeParts);
  write('docs/rehearsals/README.md', rehearsalParts);
  write('docs/evolve.md', evolveParts({ phases, growth: grown.get('phase-1') as NamedTemplate }));
}

function write(page: string, parts: Parts): void {
  const file = resolve(__dirname, '..', page);
  writeFileSync(file, withGeneratedParts(readFileSync(file, 'utf8'), parts));
}

void docs();
