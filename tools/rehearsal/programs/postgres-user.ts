import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The user that runs PostgreSQL: the current one, or `postgres` for root, because PostgreSQL refuses to run as root. */
export interface ServerUser {
  /** Returns the command line that runs a program as this user. */
  command(program: string, args: readonly string[]): readonly [string, ...string[]];
  run(program: string, args: readonly string[]): Promise<{ stdout: string }>;
  /** Changes the owner of the file or folder to this user. */
  own(path: string): void;
  /** @throws Error when this user cannot read one of the paths */
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
            `PostgreSQL runs as user "postgres" because the current user is root, but "postgres" cannot read ${path}. ` +
              'Move the project to a readable folder, or run as another user.',
          );
        }
      }
    },
  };
}

/**
 * Returns the command prefix that switches to the system user `postgres`, which is created when missing. Keeps the capability
 * to search folders where the container allows it, because a project of root is often in a folder closed to others.
 */
function switchToPostgres(): string[] {
  if (!succeeds('id', 'postgres')) {
    execFileSync('useradd', ['--system', '--user-group', '--no-create-home', 'postgres']);
  }
  const become = ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups'];
  const searching = ['dac_read_search', 'dac_override'].map((right) => [
    ...become,
    // Otherwise access(2), which PostgreSQL uses to find its programs, ignores the capability.
    '--securebits=+no_setuid_fixup',
    `--inh-caps=-all,+${right}`,
    `--ambient-caps=-all,+${right}`,
  ]);
  const works = [...searching, become].find(([file = '', ...args]) => succeeds(file, ...args, 'true'));
  if (works === undefined) {
    throw new Error('PostgreSQL refuses to run as root. Install setpriv (util-linux), or run as another user.');
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
