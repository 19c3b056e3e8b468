import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { NamedTemplate } from '../evolution/references';
import { synthesizePhases } from '../evolution/sources';
import { costStatements, phaseBills } from './costs';
import { evolveSections } from './evolve';
import { readmeSections, withCostStatement, withGeneratedSections } from './generate';
import { rehearsalSections } from './rehearsals';

const ROOT = resolve(__dirname, '../..');

/** Writes the generated sections of the pages and of doc comments. A test fails if they are stale. */
export async function writeDocs(): Promise<void> {
  // In this region, the edge needs no stack of another region.
  const region = 'us-east-1';
  const now = await synthesizePhases({ region });
  const grown = await synthesizePhases({ region, context: ['size=growth'] });
  const phases = new Map([1, 2, 3, 4].map((number) => [number, now.get(`phase-${number}`) as NamedTemplate]));
  const bills = phaseBills(phases);
  update('README.md', (page) => withGeneratedSections(page, readmeSections(bills)));
  update('docs/rehearsals/README.md', (page) => withGeneratedSections(page, rehearsalSections));
  const templates = { phases, growth: grown.get('phase-1') as NamedTemplate };
  update('docs/evolve.md', (page) => withGeneratedSections(page, evolveSections(templates)));
  for (const [file, statement] of costStatements(bills)) update(file, (source) => withCostStatement(source, statement));
}

function update(path: string, change: (text: string) => string): void {
  const file = resolve(ROOT, path);
  writeFileSync(file, change(readFileSync(file, 'utf8')));
}
