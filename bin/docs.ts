import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { evolveSections } from '../tools/docs/evolve';
import { type GeneratedSections, readmeSections, withGeneratedSections } from '../tools/docs/generate';
import { rehearsalSections } from '../tools/docs/rehearsals';
import { synthesizePhases } from '../tools/evolution/sources';
import type { NamedTemplate } from '../tools/evolution/template';

/** `npm run docs`: writes the generated sections of the pages. A test fails if they are stale. */
async function docs(): Promise<void> {
  // In this region, the edge needs no stack of another region.
  const region = 'us-east-1';
  const now = await synthesizePhases({ region });
  const grown = await synthesizePhases({ region, context: ['size=growth'] });
  const phases = new Map([1, 2, 3, 4].map((number) => [number, now.get(`phase-${number}`) as NamedTemplate]));
  write('README.md', readmeSections);
  write('docs/rehearsals/README.md', rehearsalSections);
  write('docs/evolve.md', evolveSections({ phases, growth: grown.get('phase-1') as NamedTemplate }));
}

function write(page: string, sections: GeneratedSections): void {
  const file = resolve(__dirname, '..', page);
  writeFileSync(file, withGeneratedSections(readFileSync(file, 'utf8'), sections));
}

void docs();
