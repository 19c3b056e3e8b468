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

test('the same input gives the same bytes under the same name', () => {
  const one = buildApp(join(dir, 'one'));
  const two = buildApp(join(dir, 'two'));
  expect(two.hash).toBe(one.hash);
  expect(files(two.dir)).toEqual(files(one.dir));
  const differ = files(one.dir).filter(
    (file) => !readFileSync(join(two.dir, file)).equals(readFileSync(join(one.dir, file))),
  );
  expect(differ).toEqual([]);
});

test('it holds all that a server needs, and the script knows its own version', () => {
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

describe('a build is used again', () => {
  let project: string;

  beforeAll(() => {
    project = join(dir, 'project');
    cloneWorkingTree(project);
  });

  /** In a process of its own, over a copy of the project, so that its files can be changed. */
  const build = (): AppBundle => {
    const script = "console.log(JSON.stringify(require('./tools/support/app-bundle.ts').buildApp()))";
    return JSON.parse(
      execFileSync(process.execPath, ['--import', 'tsx', '-e', script], { cwd: project, encoding: 'utf8' }),
    );
  };
  let last: AppBundle | undefined;
  const madeAt = ({ dir: bundle }: AppBundle) => statSync(join(bundle, 'server.js')).mtimeMs;

  test('while nothing has changed, and not when it is gone', () => {
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
