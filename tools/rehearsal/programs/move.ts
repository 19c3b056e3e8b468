import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { AppBundle } from '../../support/app-bundle';
import type { Postgres } from './postgres';

export interface MoveProcessOptions {
  readonly bundle: AppBundle;
  /** Source of the data; requires the setting `wal_level=logical`. */
  readonly from: Postgres;
  readonly to: Postgres;
  /** @default 'run' */
  readonly command?: 'prepare' | 'run' | 'back' | 'status';
  /**
   * Seconds after which `move.js` aborts a pause of the writes.
   *
   * @default - the default of `move.js`
   */
  readonly maxPause?: number;
  /**
   * Step at the start of which the process gets SIGKILL.
   *
   * @default - runs to the end
   */
  readonly killAt?: (typeof MOVE_STEPS)[number];
  /** Called for each event of `move.js`. */
  readonly onEvent?: (event: MoveEvent, child: ChildProcess) => void;
}

/** Steps of a move, in order. */
export const MOVE_STEPS = [
  'check',
  'schema',
  'copy',
  'follow',
  'compare',
  'pause',
  'drain',
  'verify',
  'open',
  'clean',
] as const;

/** A line of `move.js --json`. The first event of a step has no further fields. */
export interface MoveEvent {
  readonly step: string;
  /** Seconds since `move.js` started. */
  readonly seconds: number;
  readonly table?: string;
  readonly rows?: number;
  readonly bytes?: number;
  readonly moved?: Moved;
}

export interface Moved {
  /** Absent when an earlier run opened the target. */
  readonly pauseSeconds?: number;
  readonly tables: readonly { readonly table: string; readonly rows: number; readonly checksum: string }[];
  /** Transactions that were replicated after the copy. */
  readonly followed: number;
}

export interface MoveEnd {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly stderr: string;
  readonly events: readonly MoveEvent[];
  /** Result of a successful `run`. */
  readonly moved?: Moved;
}

/** Runs the bundle's `move.js` as a child process, as on the instance, and waits until it exits. */
export function runMove(options: MoveProcessOptions): Promise<MoveEnd> {
  const { bundle, from, to, command = 'run', maxPause, killAt } = options;
  const args = [command, '--json', ...(maxPause === undefined ? [] : ['--max-pause', String(maxPause)])];
  const preload = killAt === undefined ? [] : ['--require', join(__dirname, 'kill-at-step.js')];
  const child = spawn(process.execPath, [...preload, join(bundle.dir, 'move.js'), ...args], {
    env: { PATH: process.env.PATH, MOVE_FROM_URL: from.adminUrl(), DATABASE_URL: to.url(), KILL_AT: killAt },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const events: MoveEvent[] = [];
  let stderr = '';
  let rest = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines.filter((each) => each.startsWith('{'))) {
      const event: MoveEvent = JSON.parse(line);
      events.push(event);
      options.onEvent?.(event, child);
    }
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      const { moved } = events.at(-1) ?? {};
      resolve({ code, stderr, events, ...(moved && { moved }) });
    });
  });
}
