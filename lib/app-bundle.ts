import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, extname, join, relative, resolve, sep } from 'node:path';
import { buildSync } from 'esbuild';

const ROOT = resolve(__dirname, '..');

export interface AppBundle {
  /** Folder with `server.js`, `migrations/`, `public/` and `host/`; everything that a server needs but Node itself. */
  readonly dir: string;
  /** First 12 hexadecimal digits of the SHA-256 of what is in it. The app reports it as its version. */
  readonly hash: string;
}

/**
 * Bundles the shop into a folder that needs no install step: one script with its dependencies inside, the migrations, the
 * static files under names that carry their content's hash (with `manifest.json` to find them), and the server's set-up
 * scripts. The same input gives the same bytes and the same folder.
 *
 * @param outDir where the folder named after the hash is put
 */
export function buildApp(outDir: string = join(ROOT, 'dist', 'app')): AppBundle {
  mkdirSync(outDir, { recursive: true });
  const draft = mkdtempSync(join(outDir, '.draft-'));
  try {
    bundleScripts(draft);
    copyMigrations(draft);
    hashStaticFiles(draft);
    cpSync(join(ROOT, 'app', 'host'), join(draft, 'host'), { recursive: true });
    const hash = hashFolder(draft);
    stampVersion(draft, hash);
    const dir = join(outDir, hash);
    moveIntoPlace(draft, dir);
    return { dir, hash };
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** What the scripts carry until the hash of the whole is known; of the same length, so that stamping moves nothing. */
const VERSION_MARK = '@@@@@@@@@@@@';

function bundleScripts(draft: string): void {
  buildSync({
    absWorkingDir: ROOT,
    entryPoints: [join(ROOT, 'app', 'server.ts')],
    outfile: join(draft, 'server.js'),
    bundle: true,
    platform: 'node',
    // The oldest Node that runs it here; the servers have a newer one.
    target: 'node20',
    format: 'cjs',
    minify: true,
    keepNames: true,
    legalComments: 'none',
    // Optional parts of dependencies that the shop does not use.
    external: ['pg-native'],
    define: { __VERSION__: JSON.stringify(VERSION_MARK) },
    logLevel: 'error',
  });
}

function copyMigrations(draft: string): void {
  const from = join(ROOT, 'app', 'migrations');
  const to = join(draft, 'migrations');
  mkdirSync(to);
  for (const file of readdirSync(from).filter((name) => name.endsWith('.sql'))) {
    cpSync(join(from, file), join(to, file));
  }
}

/** `shop.css` becomes `shop.3f2a9c1b07.css`, so that it can be cached for ever. */
function hashStaticFiles(draft: string): void {
  const from = join(ROOT, 'app', 'public');
  const manifest: Record<string, string> = {};
  for (const file of filesBelow(from)) {
    const content = readFileSync(join(from, file));
    const extension = extname(file);
    const hash = createHash('sha256').update(content).digest('hex').slice(0, 10);
    const hashed = join(dirname(file), `${basename(file, extension)}.${hash}${extension}`)
      .split(sep)
      .join('/');
    manifest[file.split(sep).join('/')] = hashed;
    mkdirSync(dirname(join(draft, 'public', hashed)), { recursive: true });
    writeFileSync(join(draft, 'public', hashed), content);
  }
  writeFileSync(join(draft, 'public', 'manifest.json'), JSON.stringify(manifest));
}

function hashFolder(dir: string): string {
  const hash = createHash('sha256');
  for (const file of filesBelow(dir)) {
    hash.update(`${file.split(sep).join('/')}\0`).update(readFileSync(join(dir, file)));
  }
  return hash.digest('hex').slice(0, VERSION_MARK.length);
}

function stampVersion(draft: string, hash: string): void {
  const script = join(draft, 'server.js');
  writeFileSync(script, readFileSync(script, 'utf8').replaceAll(VERSION_MARK, hash));
}

/** Another process may have built the same folder at the same time; then that one, equal, stays. */
function moveIntoPlace(draft: string, dir: string): void {
  try {
    renameSync(draft, dir);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
  }
}

function filesBelow(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)))
    .sort();
}
