import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import ts from 'typescript';

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
    const modules = join(dir, 'node_modules');
    mkdirSync(modules);
    for (const name of ['aws-cdk-lib', 'constructs']) {
      symlinkSync(join(ROOT, 'node_modules', name), join(modules, name), 'dir');
    }
    const files = tiers.map((tier) => copyAlone(tier, join(dir, basename(tier, '.ts'))));

    const program = ts.createProgram(files, {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      strict: true,
      noUnusedLocals: true,
      noEmit: true,
      skipLibCheck: true,
      preserveSymlinks: true,
      types: [],
    });
    const problems = files.flatMap((file) => ts.getPreEmitDiagnostics(program, program.getSourceFile(file)));
    expect(
      ts.formatDiagnostics(problems, {
        getCanonicalFileName: String,
        getCurrentDirectory: () => dir,
        getNewLine: () => '\n',
      }),
    ).toBe('');
  } finally {
    rmSync(dir, { recursive: true });
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

test('finds tiers to copy', () => {
  expect(tiers).toContain('box.ts');
});
