import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { costStatements, pathInPhase, phaseBills, TIER_PATHS } from '../../../tools/docs/costs';
import { evolveSections } from '../../../tools/docs/evolve';
import { readmeSections, withCostStatement, withGeneratedSections } from '../../../tools/docs/generate';
import type { NamedTemplate } from '../../../tools/evolution/references';
import { makeApp, makePhase, templateOf } from '../../support/stack';
import type { PhaseId } from '../../support/templates';

const ROOT = join(__dirname, '../../..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

/** With construct paths in the template instead of in the assembly. */
const newApp = () => makeApp({ 'aws:cdk:enable-path-metadata': true });

// All phases in one app, because the synth of an app takes seconds.
const app = newApp();
const stacks = (['phase-1', 'phase-2', 'phase-3', 'phase-4'] as const).map((id) => makePhase(id, {}, app).stack);
const named = (name: PhaseId, stack: (typeof stacks)[number]): NamedTemplate => ({ name, template: templateOf(stack) });
const phases = new Map(stacks.map((stack, index) => [index + 1, named(stack.artifactId as PhaseId, stack)]));
const bills = phaseBills(phases);

test('the generated sections of README.md are up to date (run npm run docs)', () => {
  expect(withGeneratedSections(read('README.md'), readmeSections(bills))).toBe(read('README.md'));
});

test('the generated sections of docs/evolve.md are up to date (run npm run docs)', () => {
  const growth = named('phase-1', makePhase('phase-1', { size: 'growth' }, newApp()).stack);
  const page = read('docs/evolve.md');
  expect(withGeneratedSections(page, evolveSections({ phases, growth }))).toBe(page);
});

describe('cost statements', () => {
  test.each([...costStatements(bills)])('that of %s is up to date (run npm run docs)', (file, statement) => {
    expect(withCostStatement(read(file), statement)).toBe(read(file));
  });

  test('every tier has its construct paths listed', () => {
    const files = readdirSync(join(ROOT, 'lib/tiers')).filter((file) => file.endsWith('.ts'));
    expect(files.sort()).toEqual(
      Object.keys(TIER_PATHS)
        .map((name) => `${name}.ts`)
        .sort(),
    );
  });

  test('every charge of a phase is one of its tiers or of its operations', () => {
    const paths = [...Object.values(TIER_PATHS).flat(), 'AlarmTopic', 'Dashboard', 'Pager'].map((path) => `${path}/`);
    const other = [...bills.values()]
      .flatMap(({ rows }) => rows)
      // Data transfer between zones is a row without a resource.
      .filter(({ charges, name }) => charges.length > 0 && name !== '')
      .map((row) => `${pathInPhase(row)}/`)
      .filter((path) => !/^\w+Monitoring\//.test(path) && !paths.some((start) => path.startsWith(start)));
    expect(other).toEqual([]);
  });
});

describe('a cost statement', () => {
  const source =
    '/**\n * A tier.\n *\n * Fixed cost: $1 a month\n * and more.\n *\n * @see there\n */\nexport class Tier {}\n';

  test('replaces its paragraph and wraps at 120 columns', () => {
    const statement = `${'word '.repeat(20)}\`a command of several words\`, end.`;
    const changed = withCostStatement(source, statement);
    expect(changed.replaceAll('\n * ', ' ')).toContain(` Fixed cost: ${statement}`);
    expect(changed).toMatch(/\* `a command of several words`, end\.\n \*\n \* @see there\n/);
    expect(Math.max(...changed.split('\n').map((line) => line.length))).toBeLessThanOrEqual(120);
  });

  test('is removed for a tier without charges', () => {
    expect(withCostStatement(source, undefined)).toBe(
      '/**\n * A tier.\n *\n * @see there\n */\nexport class Tier {}\n',
    );
  });

  test('needs a paragraph', () => {
    expect(() => withCostStatement('/** A tier. */', '$1')).toThrow(
      'a doc comment must have a paragraph "Fixed cost: "',
    );
  });
});
