import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { AppBundle } from '../../support/app-bundle';
import { logTail, runOnProcessExit } from '../../support/processes';

export interface ShopProcessOptions {
  readonly bundle: AppBundle;
  /**
   * Which of the bundle's scripts; a worker opens no port and reports 0.
   *
   * @default 'server'
   */
  readonly entry?: 'server' | 'worker';
  /** File that the app's log (JSON, one line an event) is appended to. */
  readonly log: string;
  /** The app's environment; what `app/config.ts` declares. Nothing else is handed down but PATH. */
  readonly env: Readonly<Record<string, string>>;
  /**
   * What happens to it when this process dies: it lets requests in flight end, or it is killed at once, since there is nobody
   * left to ask.
   *
   * @default 'drain'
   */
  readonly orphaned?: 'drain' | 'kill';
  /**
   * How long the app may take until it is ready, in milliseconds.
   *
   * @default 60000
   */
  readonly readyWithin?: number;
}

/** The bundled app as a process of its own, as systemd runs it on a server. */
export interface ShopProcess {
  readonly pid: number;
  readonly port: number;
  /** Settles when the process ends: with its exit code, or null when a signal ended it. */
  readonly exited: Promise<number | null>;
  /** SIGTERM: lets requests in flight end, then exits. Resolves when it has. */
  stop(): Promise<void>;
}

/**
 * Starts the app and waits until it is ready. It holds an IPC channel to this process, and stops by itself when this one dies.
 *
 * @throws when it ends or stays silent instead; with the end of its log
 */
export async function startShop(options: ShopProcessOptions): Promise<ShopProcess> {
  const log = openSync(options.log, 'a');
  // A process group of its own, so that a Ctrl-C in the terminal reaches it once, through stop().
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
        throw new Error(`the shop ended with ${code ?? 'a signal'} before it was ready:\n${logTail(options.log, 5)}`);
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
