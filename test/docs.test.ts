import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { withGeneratedSections } from '../tools/docs/generate';
import { keptReports, rehearsalSections } from '../tools/docs/rehearsals';

const ROOT = resolve(__dirname, '..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const markdown = ['README.md', 'CONTRIBUTING.md', ...filesBelow('docs', '.md')];

test('the generated sections of docs/rehearsals/README.md are up to date (run npm run docs)', () => {
  const page = read('docs/rehearsals/README.md');
  expect(withGeneratedSections(page, rehearsalSections)).toBe(page);
});

test('the repository contains the listed rehearsal reports', () => {
  const reports = readdirSync(join(ROOT, 'docs/rehearsals')).filter((file) => file.endsWith('.html'));
  expect(reports).toEqual(expect.arrayContaining(keptReports.map((name) => `${name}.html`)));
  const ignored = read('.gitignore').split('\n');
  expect(ignored).toEqual(expect.arrayContaining(keptReports.map((name) => `!/docs/rehearsals/${name}.html`)));
});

test('every npm command in the docs exists', () => {
  const scripts = Object.keys(JSON.parse(read('package.json')).scripts);
  const named = markdown.flatMap((file) => [...read(file).matchAll(/npm run ([a-z:]+)/g)].map((match) => match[1]));
  expect(named.length).toBeGreaterThan(0);
  expect(named.filter((name) => !scripts.includes(name as string))).toEqual([]);
});

test('every link to a file of the project resolves', () => {
  const broken = markdown.flatMap((file) =>
    [...read(file).matchAll(/\]\((?!https?:|#|mailto:)([^)#]+)(#[^)]*)?\)/g)]
      .map((match) => join(ROOT, file, '..', match[1] as string))
      .filter((target) => !existsSync(target))
      .map((target) => `${file} -> ${target}`),
  );
  expect(broken).toEqual([]);
});

describe('decision records', () => {
  const records = readdirSync(join(ROOT, 'docs/decisions')).filter((file) => /^\d{3}-/.test(file));

  test.each(records)('%s has every section and is listed', (file) => {
    const headings = [...read(`docs/decisions/${file}`).matchAll(/^## (.+)$/gm)].map((match) => match[1]);
    expect(headings).toEqual(['Status', 'Context', 'Positions', 'Decision', 'Consequences']);
    expect(read('docs/decisions/README.md')).toContain(`(${file})`);
  });

  test('every record that the code refers to exists', () => {
    const code = ['bin', 'lib', 'app', 'tools', 'test'].flatMap((folder) => [
      ...filesBelow(folder, '.ts'),
      ...filesBelow(folder, '.sh'),
    ]);
    const named = code.flatMap((file) =>
      [...read(file).matchAll(/docs\/decisions\/(\d{3}-[a-z0-9-]+\.md)/g)].map((m) => m[1]),
    );
    expect(named.filter((name) => !records.includes(name as string))).toEqual([]);
  });
});

function filesBelow(folder: string, ending: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name));
}
