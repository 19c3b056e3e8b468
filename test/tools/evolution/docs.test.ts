import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ShopProps } from '../../../lib/phases/shop-props';
import { evolveParts } from '../../../tools/docs/evolve';
import { withGeneratedParts } from '../../../tools/docs/generate';
import type { NamedTemplate } from '../../../tools/evolution/template';
import { makeApp, makePhase, templateOf } from '../../support/stack';
import type { PhaseId } from '../../support/templates';

const PAGE = join(__dirname, '../../../docs/evolve.md');

/** A phase whose template tells the construct paths, which are otherwise in a file beside it. */
function template(phase: number, props: Partial<ShopProps> = {}): NamedTemplate {
  const id = `phase-${phase}` as PhaseId;
  const app = makeApp({ 'aws:cdk:enable-path-metadata': true });
  return { name: id, template: templateOf(makePhase(id, props, app).stack) };
}

test('the generated parts of docs/evolve.md are up to date (npm run docs makes them)', () => {
  const phases = new Map([1, 2, 3, 4].map((phase) => [phase, template(phase)]));
  const page = readFileSync(PAGE, 'utf8');
  expect(withGeneratedParts(page, evolveParts({ phases, growth: template(1, { size: 'growth' }) }))).toBe(page);
});
