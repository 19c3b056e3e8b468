import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Who PostgreSQL runs as: this user, or `postgres` where this user is root, which PostgreSQL refuses. */
export interface ServerUser {
  /** The command line that runs a program as that user. */
  command(program: string, args: readonly string[]): readonly [string, ...string[]];
  run(program: string, args: readonly string[]): Promise<{ stdout: string }>;
  /** Makes the file or folder that user's. */
  own(path: string): void;
  /** @throws when that user may not read one of the paths */
  checkReads(...paths: string[]): void;
}

export function serverUser(): ServerUser {
  const prefix = process.getuid?.() === 0 ? switchToPostgres() : [];
  const command: ServerUser['command'] = (program, args) => [...prefix, program, ...args] as [string, ...string[]];
  return {
    command,
    run: (program, args) => {
      const [file, ...rest] = command(program, args);
      return run(file, rest);
    },
    own: (path) => {
      if (prefix.length > 0) execFileSync('chown', ['postgres:postgres', path]);
    },
    checkReads: (...paths) => {
      for (const path of paths) {
        const [file, ...rest] = command('test', ['-r', path]);
        try {
          execFileSync(file, rest, { stdio: 'ignore' });
        } catch {
          throw new Error(
            `this is root, so PostgreSQL runs as the user "postgres", which may not read ${path}: ` +
              'move the project to where it may, or run as another user',
          );
        }
      }
    },
  };
}

/**
 * What to put before a command to run it as the system's user `postgres`, made when missing. Where the container allows it,
 * the user keeps the right to search folders, since a root's project often lies in a folder that is closed to others.
 */
function switchToPostgres(): string[] {
  if (!succeeds('id', 'postgres')) {
    execFileSync('useradd', ['--system', '--user-group', '--no-create-home', 'postgres']);
  }
  const become = ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups'];
  const searching = ['dac_read_search', 'dac_override'].map((right) => [
    ...become,
    // Without it, access(2), by which PostgreSQL looks at its own programs, takes no notice of the right.
    '--securebits=+no_setuid_fixup',
    `--inh-caps=-all,+${right}`,
    `--ambient-caps=-all,+${right}`,
  ]);
  const works = [...searching, become].find(([file = '', ...args]) => succeeds(file, ...args, 'true'));
  if (works === undefined) {
    throw new Error(
      'this is root, and PostgreSQL refuses to run as root: install setpriv (util-linux), or run as another user',
    );
  }
  return works;
}

function succeeds(file: string, ...args: string[]): boolean {
  try {
    execFileSync(file, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
