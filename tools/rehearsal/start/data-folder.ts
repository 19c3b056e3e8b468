import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { UsageError } from '../../support/usage-error';
import { removePostgres } from '../programs/postgres';

/** Files and folders of a run. `fresh` removes these and no others. */
const POSTGRES = 'postgres';
export const SHOP_LOG = 'shop.log';
const SESSION_SECRET = 'session-secret';
const LOCK_FILE = 'holder.pid';

/** The folder that `npm start` keeps between runs of all phases. One run locks it at a time. */
export class DataFolder {
  private constructor(private readonly dir: string) {}

  /**
   * Locks the folder for this run, and creates it when missing.
   *
   * @param fresh delete the data of earlier runs
   * @throws UsageError when another run has locked it
   */
  static async lock(dir: string, fresh: boolean): Promise<DataFolder> {
    const folder = new DataFolder(dir);
    folder.#checkUnlocked();
    if (fresh) await folder.#deleteData();
    mkdirSync(dir, { recursive: true });
    writeFileSync(folder.#lockFile, String(process.pid));
    return folder;
  }

  /** Folder of the database. */
  get database(): string {
    return join(this.dir, POSTGRES);
  }

  /** Session secret, the same in each run, so that logins survive a restart. */
  sessionSecret(): string {
    const file = join(this.dir, SESSION_SECRET);
    if (!existsSync(file)) writeFileSync(file, randomBytes(32).toString('base64url'), { mode: 0o600 });
    return readFileSync(file, 'utf8');
  }

  unlock(): void {
    rmSync(this.#lockFile, { force: true });
  }

  get #lockFile(): string {
    return join(this.dir, LOCK_FILE);
  }

  async #deleteData(): Promise<void> {
    await removePostgres(this.database);
    for (const name of [SHOP_LOG, SESSION_SECRET]) rmSync(join(this.dir, name), { force: true });
  }

  /** Two runs on one cluster would stop each other's database. */
  #checkUnlocked(): void {
    if (!existsSync(this.#lockFile)) return;
    const pid = Number(readFileSync(this.#lockFile, 'utf8'));
    if (Number.isInteger(pid) && pid !== process.pid && isOtherRun(pid)) {
      throw new UsageError(
        `--dir must be a folder that no other run uses, got ${this.dir}. Stop process ${pid}, or pass another --dir.`,
      );
    }
  }
}

/** @throws UsageError when the port is in use */
export function checkPortFree(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new UsageError(
              `--port must be a free port, got ${port}. Stop the program that uses it, or pass another port from 1024 to 65535.`,
            )
          : error,
      );
    });
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve()));
  });
}

/** Checks the command, because a killed run leaves its lock file, and another process may have reused its id. */
function isOtherRun(pid: number): boolean {
  try {
    const command = execFileSync('ps', ['-p', String(pid), '-o', 'command='], { encoding: 'utf8' });
    return command.includes('cli.ts') && command.includes('start');
  } catch {
    return false;
  }
}
