import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const ROOT = resolve(__dirname, '../..');
const CACHE = join(ROOT, 'node_modules', '.cache', 'scaling-phases-tests');

/** Files and folders that a result can depend on. A missing entry leads to stale results. */
const INPUTS = ['app', 'bin', 'lib', 'tools', 'test/support', 'cdk.json', 'package-lock.json'];

/** One day, in milliseconds. */
const MAX_AGE = 86_400_000;

/**
 * Computes a slow result once for all test files. The first caller computes it, and the others wait. The cache key includes a
 * hash of all inputs, so any change to them invalidates the result.
 *
 * @param name unique name of the result, including all options
 * @param make computes the result, which consists of plain objects, arrays and maps
 */
export async function shared<T>(name: string, make: () => Promise<T>): Promise<T> {
  const file = fileOf(name);
  const lock = `${file}.lock`;
  for (;;) {
    const kept = read(file);
    if (kept !== undefined) return fromText(kept) as T;
    if (takeLock(lock)) break;
    await sleep(100);
  }
  try {
    return store(file, await make());
  } finally {
    rmSync(lock, { force: true });
  }
}

/** Synchronous variant of {@link shared}, without a lock: concurrent callers may each compute the result. */
export function sharedSync<T>(name: string, make: () => T): T {
  const file = fileOf(name);
  const kept = read(file);
  return kept === undefined ? store(file, make()) : (fromText(kept) as T);
}

/** Returns the path of a file or folder that is kept and removed together with the shared results. */
export function cachePath(name: string): string {
  const dir = join(CACHE, inputsHash());
  if (mkdirSync(dir, { recursive: true }) !== undefined) removeStale();
  return join(dir, name);
}

function fileOf(name: string): string {
  return cachePath(`${createHash('sha256').update(name).digest('hex').slice(0, 16)}.json`);
}

function store<T>(file: string, value: T): T {
  const text = toText(value);
  // The rename is atomic, so no other test reads a partial file.
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, text);
  renameSync(temporary, file);
  return fromText(text) as T;
}

const MAP = '@@map';

function toText(value: unknown): string {
  return JSON.stringify(value, (_, one) => (one instanceof Map ? { [MAP]: [...one] } : one));
}

function fromText(text: string): unknown {
  return JSON.parse(text, (_, one) => (one?.[MAP] === undefined ? one : new Map(one[MAP])));
}

let hash: string | undefined;

function inputsHash(): string {
  if (hash !== undefined) return hash;
  const sum = createHash('sha256').update(process.version);
  for (const input of INPUTS) {
    for (const file of filesOf(join(ROOT, input))) sum.update(`\0${file}\0`).update(readFileSync(file));
  }
  hash = sum.digest('hex').slice(0, 16);
  return hash;
}

function filesOf(path: string): string[] {
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Creates the lock file with the id of this process. Removes the lock of a process that no longer exists. */
function takeLock(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    const owner = Number(read(lock));
    if (owner > 0 && !isAlive(owner)) rmSync(lock, { force: true });
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** Removes results of earlier inputs after {@link MAX_AGE}. */
function removeStale(): void {
  for (const name of readdirSync(CACHE)) {
    const dir = join(CACHE, name);
    if (name !== hash && Date.now() - statSync(dir).mtimeMs > MAX_AGE) rmSync(dir, { recursive: true, force: true });
  }
}
