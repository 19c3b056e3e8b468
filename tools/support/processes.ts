import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';

/** A TCP port on loopback that was free a moment ago. */
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
 * Runs a shell script once this process is gone, however it died. A small shell reads from a pipe whose other end only this
 * process holds, and the end of file tells it. Returns what calls it off.
 *
 * @param script reads its arguments as $1, $2, …
 */
export function runOnProcessExit(script: string, args: readonly string[]): () => void {
  const guard = spawn('sh', ['-c', `read -r _ && exit\n${script}`, 'guard', ...args], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // Neither the shell nor the pipe to it may keep this process alive.
  guard.unref();
  (guard.stdin as unknown as { unref(): void }).unref();
  guard.stdin.on('error', () => {});
  return () => guard.stdin.end('called off\n');
}

/** The last lines of a log, for the error that it explains. */
export function logTail(file: string, lines = 8): string {
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n') : '(no log)';
}
