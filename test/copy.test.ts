import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import ts from 'typescript';
import { EXPRESS_PACKAGES, linkPackages, MIDDLEWARES } from './support/express-project';

/** What people copy compiles: each tier, each middleware, and each example of the docs. */
const ROOT = join(__dirname, '..');
const TIERS = join(ROOT, 'lib', 'tiers');
const tiers = readdirSync(TIERS).filter((file) => file.endsWith('.ts'));

/**
 * Copies each tier, and the constants if it imports them, into a project with only the dependencies of a CDK project. A
 * single TypeScript program compiles all of them, because loading the types of CDK is slow.
 */
test('each tier compiles alone in a project with aws-cdk-lib and constructs', () => {
  const dir = mkdtempSync(join(tmpdir(), 'copy-'));
  try {
    linkPackages(dir, ['aws-cdk-lib', 'constructs']);
    const files = tiers.map((tier) => copyAlone(tier, join(dir, basename(tier, '.ts'))));
    expect(problemsOf(files, { noUnusedLocals: true, types: [] })).toEqual([]);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('finds tiers to copy', () => {
  expect(tiers).toContain('box.ts');
});

test('each middleware compiles alone in an Express project', () => {
  const dir = mkdtempSync(join(tmpdir(), 'copy-'));
  try {
    linkPackages(dir, EXPRESS_PACKAGES);
    const files = MIDDLEWARES.map((path) => {
      const project = join(dir, basename(path, '.ts'));
      mkdirSync(project);
      cpSync(join(ROOT, path), join(project, basename(path)));
      return join(project, basename(path));
    });
    expect(problemsOf(files, { noUnusedLocals: true, types: ['node'] })).toEqual([]);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('every TypeScript example compiles', () => {
  const docs = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).map((file) => join('docs', file));
  const pages = ['README.md', 'CONTRIBUTING.md', ...docs.filter((file) => file.endsWith('.md'))];
  const examples = pages.flatMap((page) => codeBlocks(readFileSync(join(ROOT, page), 'utf8'), 'ts'));
  expect(examples.length).toBeGreaterThan(0);
  // Below the project, so that examples find the packages; the imports of the project's own files are given from its root.
  const dir = join(ROOT, 'dist', 'examples');
  mkdirSync(dir, { recursive: true });
  const work = mkdtempSync(join(dir, 'e-'));
  try {
    const files = examples.map((code, i) => {
      const file = join(work, `example-${i}.ts`);
      writeFileSync(file, projectImports(code));
      return file;
    });
    // The rest of the project is `npm run types`'s.
    expect(problemsOf(files, { types: ['node'] })).toEqual([]);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
});

function copyAlone(tier: string, project: string): string {
  const source = readFileSync(join(TIERS, tier), 'utf8');
  mkdirSync(join(project, 'tiers'), { recursive: true });
  writeFileSync(join(project, 'package.json'), '{}');
  const file = join(project, 'tiers', tier);
  writeFileSync(file, source);
  if (source.includes("from '../constants'")) {
    cpSync(join(ROOT, 'lib', 'constants.ts'), join(project, 'constants.ts'));
  }
  return file;
}

/** The parsed types of packages, which all programs share; to parse those of CDK takes most of the time. */
const parsed = new Map<string, ts.SourceFile | undefined>();

/** The compiler's errors in these files, one line each. */
function problemsOf(files: string[], more: ts.CompilerOptions): string[] {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    strict: true,
    noEmit: true,
    noUncheckedSideEffectImports: true,
    skipLibCheck: true,
    ...more,
  };
  const host = ts.createCompilerHost(options);
  const parse = host.getSourceFile;
  host.getSourceFile = (file, ...rest) => {
    if (!file.endsWith('.d.ts')) return parse(file, ...rest);
    if (!parsed.has(file)) parsed.set(file, parse(file, ...rest));
    return parsed.get(file);
  };
  const program = ts.createProgram(files, options, host);
  return files
    .flatMap((file) => ts.getPreEmitDiagnostics(program, program.getSourceFile(file)))
    .map(({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`);
}

/** Examples import from the project's root, or, as files of a folder `lib/`, from the folders beside them. */
function projectImports(code: string): string {
  return code
    .replaceAll(/from '\.\/(app|lib|tools)\//g, "from '../../../$1/")
    .replaceAll(/from '\.\/tiers\//g, "from '../../../lib/tiers/");
}

function codeBlocks(text: string, language: string): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    (match) => match[1] as string,
  );
}
