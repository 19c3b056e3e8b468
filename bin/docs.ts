import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { evolveSections } from '../tools/docs/evolve';
import { type GeneratedSections, readmeSections, withGeneratedSections } from '../tools/docs/generate';
import { synthesizePhases } from '../tools/evolution/sources';
import type { NamedTemplate } from '../tools/evolution/template';

/** `npm run docs`: writes the generated parts of the pages. A test fails while they are stale. */
async function docs(): Promise<void> {
  // Where nothing is deployed beside the shop's stack.
  const region = 'us-east-1';
  const now = await synthesizePhases({ region });
  const grown = await synthesizePhases({ region, context: ['size=growth'] });
  const phases = new Map([1, 2, 3, 4].map((number) => [number, now.get(`phase-${number}`) as NamedTemplate]));
  write('README.md', readmeSections);
  write('docs/evolve.md', evolveSections({ phases, growth: grown.get('phase-1') as NamedTemplate }));
}

function write(page: string, parts: GeneratedSections): void {
  const file = resolve(__dirname, '..', page);
  writeFileSync(file, withGeneratedSections(readFileSync(file, 'utf8'), parts));
}

void docs();
