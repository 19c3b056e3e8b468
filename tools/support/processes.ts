import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';

/** Returns a free TCP port on loopback. Another process may take it before the caller binds it. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/**
 * Runs a shell script when this process exits, even after SIGKILL: a background shell waits for the end of file on a pipe that only
 * this process holds open. Returns a function that cancels the script.
 *
 * @param script shell script with the arguments as $1, $2, …
 */
export function runOnProcessExit(script: string, args: readonly string[]): () => void {
  const guard = spawn('sh', ['-c', `read -r _ && exit\n${script}`, 'guard', ...args], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // Neither the shell nor its pipe may keep this process alive.
  guard.unref();
  (guard.stdin as unknown as { unref(): void }).unref();
  guard.stdin.on('error', () => {});
  return () => guard.stdin.end('cancel\n');
}

/** Returns the last lines of a log file, for error messages. */
export function logTail(file: string, lines = 8): string {
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n') : '(no log)';
}
