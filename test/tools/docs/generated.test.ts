import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ShopProps } from '../../../lib/phases/shop-props';
import { evolveSections } from '../../../tools/docs/evolve';
import { withGeneratedSections } from '../../../tools/docs/generate';
import type { NamedTemplate } from '../../../tools/evolution/template';
import { makeApp, makePhase, type PhaseId, templateOf } from '../../support/stack';

const PAGE = join(__dirname, '../../../docs/evolve.md');

/** Synthesizes a phase with construct paths in the template instead of in the assembly. */
function template(phase: number, props: Partial<ShopProps> = {}): NamedTemplate {
  const id = `phase-${phase}` as PhaseId;
  const app = makeApp({ 'aws:cdk:enable-path-metadata': true });
  return { name: id, template: templateOf(makePhase(id, props, app).stack) };
}

test('the generated sections of docs/evolve.md are up to date (run npm run docs)', () => {
  const phases = new Map([1, 2, 3, 4].map((phase) => [phase, template(phase)]));
  const page = readFileSync(PAGE, 'utf8');
  expect(withGeneratedSections(page, evolveSections({ phases, growth: template(1, { size: 'growth' }) }))).toBe(page);
});
