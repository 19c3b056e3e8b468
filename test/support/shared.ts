import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const ROOT = resolve(__dirname, '../..');
const CACHE = join(ROOT, 'node_modules', '.cache', 'scaling-phases-tests');

/** Everything that a result may be made from. What is missing here makes the cache stale. */
const INPUTS = ['app', 'bin', 'lib', 'tools', 'test/support', 'cdk.json', 'package-lock.json'];

/** One day, in milliseconds. */
const KEEP = 86_400_000;

/**
 * A result that several test files need and that takes seconds to make. The first file makes it, the others wait for it. It is
 * kept under a hash of the contents of all inputs, so that a change of any of them has it made again.
 *
 * @param name of the result, with all its options
 * @param make returns plain objects, arrays and maps
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
    return keep(file, await make());
  } finally {
    rmSync(lock, { force: true });
  }
}

/** Like {@link shared}, for what is made at once: two files that need it at the same time both make it. */
export function sharedNow<T>(name: string, make: () => T): T {
  const file = fileOf(name);
  const kept = read(file);
  return kept === undefined ? keep(file, make()) : (fromText(kept) as T);
}

/** A file or folder beside the shared results, which is removed with them. */
export function cachePath(name: string): string {
  const dir = join(CACHE, inputsHash());
  if (mkdirSync(dir, { recursive: true }) !== undefined) removeOldest();
  return join(dir, name);
}

function fileOf(name: string): string {
  return cachePath(`${createHash('sha256').update(name).digest('hex').slice(0, 16)}.json`);
}

function keep<T>(file: string, made: T): T {
  const text = toText(made);
  // Renamed into place, so that no other test reads half of it.
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, text);
  renameSync(draft, file);
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

/** The process id in it is that of the test that makes the result; of one that was killed, another test takes the lock. */
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

/** What earlier states of the inputs have left. */
function removeOldest(): void {
  for (const name of readdirSync(CACHE)) {
    const dir = join(CACHE, name);
    if (name !== hash && Date.now() - statSync(dir).mtimeMs > KEEP) rmSync(dir, { recursive: true, force: true });
  }
}
