import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { AppBundle } from '../../support/app-bundle';
import { logTail, runOnProcessExit } from '../../support/processes';

export interface ShopProcessOptions {
  readonly bundle: AppBundle;
  /**
   * Script of the bundle. A worker opens no port and reports 0.
   *
   * @default 'server'
   */
  readonly entry?: 'server' | 'worker';
  /** File to which the app's log is appended (JSON lines). */
  readonly log: string;
  /** The app's environment, as `app/config.ts` declares it. Besides, the app inherits only PATH. */
  readonly env: Readonly<Record<string, string>>;
  /**
   * Behavior when this process exits: drain requests in flight, or get SIGKILL at once.
   *
   * @default 'drain'
   */
  readonly orphaned?: 'drain' | 'kill';
  /**
   * Startup timeout in milliseconds.
   *
   * @default 60000
   */
  readonly readyWithin?: number;
}

/** The bundled app as a child process, as systemd runs it on a server. */
export interface ShopProcess {
  readonly pid: number;
  readonly port: number;
  /** Resolves to the exit code, or null after a signal. */
  readonly exited: Promise<number | null>;
  /** Sends SIGTERM, which drains requests in flight. Resolves when the process has exited. */
  stop(): Promise<void>;
}

/**
 * Starts the app and waits until it is ready. The app stops when its IPC channel to this process closes.
 *
 * @throws Error with the end of the log when the app exits or is not ready in time
 */
export async function startShop(options: ShopProcessOptions): Promise<ShopProcess> {
  const log = openSync(options.log, 'a');
  // A new process group, so that Ctrl-C in the terminal reaches it only through stop().
  const child = spawn(process.execPath, [join(options.bundle.dir, `${options.entry ?? 'server'}.js`)], {
    env: { PATH: process.env.PATH, ...options.env },
    stdio: ['ignore', log, log, 'ipc'],
    detached: true,
  });
  closeSync(log);
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  if (options.orphaned === 'kill') {
    void exited.then(runOnProcessExit('kill -9 "$1"', [String(child.pid)]));
  }
  const port = await ready(child, exited, options);
  return {
    pid: child.pid as number,
    port,
    exited,
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

async function ready(
  child: ChildProcess,
  exited: Promise<number | null>,
  options: ShopProcessOptions,
): Promise<number> {
  const within = options.readyWithin ?? 60_000;
  let timer: NodeJS.Timeout | undefined;
  try {
    return await Promise.race([
      new Promise<number>((resolve, reject) => {
        child.once('error', reject);
        child.on('message', (message: { type?: string; port?: number }) => {
          if (message.type === 'ready' && message.port !== undefined) resolve(message.port);
        });
      }),
      exited.then((code) => {
        throw new Error(`the shop exited with ${code ?? 'a signal'} before it was ready:\n${logTail(options.log, 5)}`);
      }),
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          child.kill('SIGKILL');
          reject(new Error(`the shop was not ready within ${within / 1000} s:\n${logTail(options.log, 5)}`));
        }, within);
      }),
    ]);
  } finally {
    clearTimeout(timer);
  }
}
