import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { buildShopAt } from '../../../tools/bench/against';
import { UsageError } from '../../../tools/support/usage-error';
import { eventually } from '../../support/shop';

const ROOT = resolve(__dirname, '../../..');
const BUILDER = 'tools/support/app-bundle.ts';

const dir = mkdtempSync(join(tmpdir(), 'against-test-'));
const repository = join(dir, 'repository');

beforeAll(() => {
  mkdirSync(repository);
  git('init', '--quiet');
  symlinkSync(join(ROOT, 'node_modules'), join(repository, 'node_modules'));
  copyFileSync(join(ROOT, 'package-lock.json'), join(repository, 'package-lock.json'));
  write('.gitignore', 'node_modules\ndist\n');
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

function git(...args: string[]): string {
  const identity = ['-c', 'user.name=test', '-c', 'user.email=test@example.com'];
  return execFileSync('git', [...identity, ...args], { cwd: repository, encoding: 'utf8' }).trim();
}

function write(file: string, text: string): void {
  mkdirSync(dirname(join(repository, file)), { recursive: true });
  writeFileSync(join(repository, file), text);
}

/** Returns the commit's hash. */
function commit(files: Readonly<Record<string, string>>): string {
  for (const [file, text] of Object.entries(files)) write(file, text);
  git('add', '--all');
  git('commit', '--quiet', '--message', 'test');
  return git('rev-parse', 'HEAD');
}

/** A builder whose bundle holds what `content`, an expression, is in that worktree. */
function builder(content: string): string {
  return `import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
export function buildApp(outDir: string) {
  const dir = outDir + '/bundle';
  mkdirSync(dir, { recursive: true });
  writeFileSync(dir + '/server.js', ${content});
  return { dir, hash: 'bundle' };
}`;
}

const contentOf = (revision: string) =>
  readFileSync(join(buildShopAt(revision, repository).bundle.dir, 'server.js'), 'utf8');

function expectNoWorktree(): void {
  expect(git('worktree', 'list').split('\n')).toHaveLength(1);
}

test('bundles the shop of a commit with the builder of that commit and our packages, and leaves no worktree', () => {
  const app = "readFileSync('app/server.ts', 'utf8') + existsSync('node_modules/tsx/package.json')";
  const old = commit({ 'app/server.ts': 'old ', [BUILDER]: builder(app) });
  commit({ 'app/server.ts': 'new ', [BUILDER]: builder("'another builder'") });

  expect(contentOf('HEAD~1')).toBe('old true');
  expect(buildShopAt('HEAD~1', repository).commit).toBe(old.slice(0, 7));
  expectNoWorktree();
  expect(existsSync(join(repository, 'node_modules/tsx/package.json'))).toBe(true);

  // The second call builds nothing: a changed bundle is still there.
  const { dir: bundle } = buildShopAt(old, repository).bundle;
  writeFileSync(join(bundle, 'server.js'), 'kept');
  expect(contentOf(old)).toBe('kept');
  rmSync(bundle, { recursive: true });
  expect(contentOf(old)).toBe('old true');
});

test('installs the packages of a commit with another package-lock.json', () => {
  const manifest = { name: 'other', version: '1.0.0' };
  const packages = { '': manifest };
  const other = commit({
    'app/server.ts': 'app',
    'package.json': JSON.stringify(manifest),
    'package-lock.json': JSON.stringify({ ...manifest, lockfileVersion: 3, requires: true, packages }),
    [BUILDER]: builder("String(existsSync('node_modules/tsx'))"),
  });
  // Now ours differs.
  copyFileSync(join(ROOT, 'package-lock.json'), join(repository, 'package-lock.json'));
  expect(contentOf(other)).toBe('false');
  expectNoWorktree();
});

test('a failing build removes the worktree and shows the error of the builder', () => {
  const broken = commit({ 'app/server.ts': 'app', [BUILDER]: builder("(() => { throw new Error('broken'); })()") });
  expect(() => buildShopAt(broken, repository)).toThrow(/--against: .* ended with code 1\.\n[\s\S]*Error: broken/);
  expectNoWorktree();
});

test.each(['SIGINT', 'SIGKILL'] as const)('%s during a build removes the worktree', async (signal) => {
  const begun = join(dir, signal);
  const slow = commit({
    'app/server.ts': signal,
    [BUILDER]: builder(
      `(() => { writeFileSync('${begun}', ''); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000); return ''; })()`,
    ),
  });
  const script = `require('./tools/bench/against').buildShopAt('${slow}', '${repository}')`;
  // Its own process group, as in a terminal, where Ctrl-C reaches the builder too.
  const child = spawn(process.execPath, ['--import', 'tsx', '-e', script], {
    cwd: ROOT,
    stdio: 'ignore',
    detached: true,
  });
  await eventually(() => existsSync(begun));
  expect(git('worktree', 'list').split('\n')).toHaveLength(2);
  await killGroup(child, signal);
  await eventually(() => git('worktree', 'list').split('\n').length === 1);
});

async function killGroup(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const exited = once(child, 'exit');
  process.kill(-(child.pid as number), signal);
  await exited;
}

test.each([
  ['no-such-commit', () => repository, 'must be a commit of this repository, got no-such-commit.'],
  ['HEAD', () => join(repository, 'app'), 'needs a git checkout of this project, got '],
  ['HEAD', () => dir, 'needs a git checkout of this project, got '],
])('%j is refused with one line', (revision, folder, message) => {
  const build = () => buildShopAt(revision, folder());
  expect(build).toThrow(UsageError);
  expect(build).toThrow(new RegExp(`^--against ${message}.*$`));
});

test('a commit without a shop is refused with one line', () => {
  git('rm', '-r', '--quiet', 'app');
  const empty = commit({});
  expect(() => buildShopAt(empty, repository)).toThrow(
    new UsageError(`--against must be a commit with app/ and ${BUILDER}, got ${empty}.`),
  );
});
