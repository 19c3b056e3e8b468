import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { resolve } from 'node:path';

const ROOT = resolve(__dirname, '../..');

export interface Command {
  readonly child: ChildProcess;
  /** Output so far. */
  readonly output: { stdout: string; stderr: string };
  /** Exit code, or null if a signal ended the process. */
  readonly exitCode: Promise<number | null>;
}

/** Runs `npm run <command> -- <arguments>` without npm, as a child process. */
export function runCommand(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Command {
  const child = spawn(process.execPath, ['--import', 'tsx', 'bin/cli.ts', ...args], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      output[stream] += text;
    });
  }
  const exitCode = new Promise<number | null>((done) => child.once('close', done));
  return { child, output, exitCode };
}

/** Returns the command lines of the running processes that contain one of the folders. */
export function commandLinesContaining(...folders: string[]): string[] {
  const lines = execFileSync('ps', ['-A', '-o', 'args='], { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => !line.startsWith('ps ') && folders.some((folder) => line.includes(folder)));
}
