import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';
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

test('every TypeScript example compiles', () => {
  const examples = markdown.flatMap((file) => codeBlocks(read(file), 'ts').map((code) => ({ file, code })));
  expect(examples.length).toBeGreaterThan(0);
  // Inside the project, so that examples resolve its packages. Their relative imports start at the project root.
  const dir = join(ROOT, 'dist', 'examples');
  mkdirSync(dir, { recursive: true });
  const work = mkdtempSync(join(dir, 'e-'));
  try {
    const files = examples.map(({ code }, i) => {
      const file = join(work, `example-${i}.ts`);
      writeFileSync(file, projectImports(code));
      return file;
    });
    const program = ts.createProgram(files, {
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      types: ['node'],
    });
    // Only the examples: `npm run types` checks the rest.
    const problems = files
      .flatMap((file) => ts.getPreEmitDiagnostics(program, program.getSourceFile(file)))
      .map((one) => ts.flattenDiagnosticMessageText(one.messageText, '\n'));
    expect(problems).toEqual([]);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
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

/** Examples import from the project's root, or, as files of a folder `lib/`, from the folders beside them. */
function projectImports(code: string): string {
  return code
    .replaceAll(/from '\.\/(lib|tools)\//g, "from '../../../$1/")
    .replaceAll(/from '\.\/tiers\//g, "from '../../../lib/tiers/");
}

function codeBlocks(text: string, language: string): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    (match) => match[1] as string,
  );
}

function filesBelow(folder: string, ending: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name));
}
