import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AppBundle } from '../support/app-bundle';
import { runOnProcessExit } from '../support/processes';
import { UsageError } from '../support/usage-error';

const ROOT = resolve(__dirname, '../..');
const BUILDER = 'tools/support/app-bundle.ts';

/** The shop of another commit. */
export interface ShopAt {
  /** First seven digits of the commit's hash. */
  readonly commit: string;
  readonly bundle: AppBundle;
}

/**
 * Bundles the shop of another commit with the builder and the packages of that commit, in a temporary worktree. The bundle stays in
 * `dist/against`, so that only the first run takes time.
 *
 * @param revision name of a commit, as `git rev-parse` accepts it
 * @param root top folder of the git checkout
 * @throws UsageError if the project is no git checkout, or there is no such commit, or the commit has no shop
 */
export function buildShopAt(revision: string, root: string = ROOT): ShopAt {
  const hash = findCommit(revision, root);
  const commit = hash.slice(0, 7);
  const outDir = join(root, 'dist', 'against', hash);
  const record = join(outDir, 'bundle.json');
  if (existsSync(record)) {
    const bundle: AppBundle = JSON.parse(readFileSync(record, 'utf8'));
    if (existsSync(bundle.dir)) return { commit, bundle };
  }
  const bundle = inWorktree(hash, root, (tree) => {
    installPackages(tree, root);
    const script = `JSON.stringify(require('./${BUILDER}').buildApp(process.argv[1]))`;
    const loader = pathToFileURL(require.resolve('tsx')).href;
    return JSON.parse(run(process.execPath, ['--import', loader, '-p', script, outDir], tree)) as AppBundle;
  });
  writeFileSync(record, JSON.stringify(bundle));
  return { commit, bundle };
}

function findCommit(revision: string, root: string): string {
  const git = (...args: string[]) => spawnSync('git', args, { cwd: root, encoding: 'utf8' });
  // Empty at the top of a checkout; not empty in a copy of this project inside another repository.
  const prefix = git('rev-parse', '--show-prefix');
  if (prefix.status !== 0 || prefix.stdout.trim() !== '') {
    throw new UsageError(`--against needs a git checkout of this project, got ${root}.`);
  }
  const { status, stdout } = git('rev-parse', '--verify', '--quiet', `${revision}^{commit}`);
  if (status !== 0) {
    throw new UsageError(
      `--against must be a commit of this repository, got ${revision}. In a shallow clone, run git fetch --unshallow.`,
    );
  }
  const hash = stdout.trim();
  if (['app', BUILDER].some((path) => git('cat-file', '-e', `${hash}:${path}`).status !== 0)) {
    throw new UsageError(`--against must be a commit with app/ and ${BUILDER}, got ${revision}.`);
  }
  return hash;
}

function inWorktree<T>(hash: string, root: string, work: (tree: string) => T): T {
  const tree = mkdtempSync(join(tmpdir(), 'shop-against-'));
  // Also after Ctrl-C.
  const cancel = runOnProcessExit('cd "$1" && git worktree remove --force "$2"; rm -rf "$2"', [root, tree]);
  try {
    run('git', ['worktree', 'add', '--quiet', '--detach', tree, hash], root);
    return work(tree);
  } finally {
    spawnSync('git', ['worktree', 'remove', '--force', tree], { cwd: root });
    rmSync(tree, { recursive: true, force: true });
    cancel();
  }
}

function installPackages(tree: string, root: string): void {
  const [theirs, ours] = [tree, root].map((dir) => readFileSync(join(dir, 'package-lock.json'), 'utf8'));
  if (theirs === ours) symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
  // The builder needs no install scripts: esbuild's only replaces its launcher.
  else run('npm', ['ci', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'], tree);
}

/** Returns the standard output. */
function run(command: string, args: readonly string[], cwd: string): string {
  const { status, signal, error, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status === 0) return stdout;
  throw new Error(`--against: ${command} ended with ${error?.message ?? signal ?? `code ${status}`}.\n${stderr}`);
}
