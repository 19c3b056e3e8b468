import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AppBundle, buildApp } from '../../../tools/support/app-bundle';
import { cloneWorkingTree } from '../../support/clone';

let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'shop-bundle-'));
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

const files = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(folder, name)).isFile())
    .sort();

test('the build is reproducible', () => {
  const one = buildApp(join(dir, 'one'));
  const two = buildApp(join(dir, 'two'));
  expect(two.hash).toBe(one.hash);
  expect(files(two.dir)).toEqual(files(one.dir));
  const differ = files(one.dir).filter(
    (file) => !readFileSync(join(two.dir, file)).equals(readFileSync(join(one.dir, file))),
  );
  expect(differ).toEqual([]);
});

test('the bundle contains everything that a server needs, and the script contains its version', () => {
  const { dir: bundle, hash } = buildApp(join(dir, 'one'));
  expect(readdirSync(bundle).sort()).toEqual([
    'host',
    'migrations',
    'move.js',
    'node_modules',
    'public',
    'server.js',
    'worker.js',
  ]);
  expect(readFileSync(join(bundle, 'server.js'), 'utf8')).toContain(hash);
  const manifest: Record<string, string> = JSON.parse(readFileSync(join(bundle, 'public', 'manifest.json'), 'utf8'));
  expect(manifest['shop.css']).toMatch(/^shop\.[0-9a-f]{10}\.css$/);
  expect(files(join(bundle, 'public'))).toEqual([...Object.values(manifest), 'manifest.json'].sort());
});

describe('a build is reused', () => {
  let project: string;

  beforeAll(() => {
    project = join(dir, 'project');
    cloneWorkingTree(project);
  });

  /** Builds in a separate process and a copy of the project, so that tests can change its files. */
  const build = (): AppBundle => {
    const script = "console.log(JSON.stringify(require('./tools/support/app-bundle.ts').buildApp()))";
    return JSON.parse(
      execFileSync(process.execPath, ['--import', 'tsx', '-e', script], { cwd: project, encoding: 'utf8' }),
    );
  };
  let last: AppBundle | undefined;
  const madeAt = ({ dir: bundle }: AppBundle) => statSync(join(bundle, 'server.js')).mtimeMs;

  test('while no input has changed, unless it was deleted', () => {
    const first = build();
    const made = madeAt(first);
    expect(madeAt(build())).toBe(made);
    rmSync(first.dir, { recursive: true });
    last = build();
    expect(madeAt(last)).not.toBe(made);
  });

  test.each(['app/pages/stock.ts', 'app/public/shop.css', 'app/migrations/0001_shop.sql', 'app/host/configure.sh'])(
    'but not after a change of %s',
    (file) => {
      const before = last ?? build();
      appendFileSync(join(project, file), file.endsWith('.ts') ? '\nconsole.log(1);\n' : '\n\n');
      last = build();
      expect(last.hash).not.toBe(before.hash);
    },
  );
});
