import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import type { AppBundle } from '../../support/app-bundle';
import type { DatabaseTier } from './database-tier';

/** What `move.js run --json` tells, a line each. */
interface Told {
  readonly step: string;
  readonly moved?: { readonly pauseSeconds?: number };
}

/**
 * Moves the shop's data off the box by the app's own `move.js`, while the shop goes on.
 *
 * @param onPause called when writes are paused
 * @throws with what it said, when it does not get through
 */
export async function moveData(
  bundle: AppBundle,
  from: DatabaseTier,
  to: DatabaseTier,
  onPause: () => void,
): Promise<void> {
  const { socketDir } = from.primary.server;
  const env = {
    PATH: process.env.PATH,
    MOVE_FROM_URL: `postgres://postgres@/shop?host=${encodeURIComponent(socketDir)}`,
    DATABASE_URL: to.primary.url,
  };
  await run(bundle, env, ['prepare', '--json'], () => {});
  await run(bundle, env, ['run', '--json'], ({ step }) => step === 'pause' && onPause());
}

async function run(
  bundle: AppBundle,
  env: NodeJS.ProcessEnv,
  args: string[],
  told: (line: Told) => void,
): Promise<void> {
  const child = spawn(process.execPath, [join(bundle.dir, 'move.js'), ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const complaint = text(child.stderr);
  createInterface(child.stdout).on('line', (line) => told(JSON.parse(line)));
  const code = await new Promise((done) => child.once('close', done));
  if (code !== 0) throw new Error(`move.js ${args[0]} ended with ${code}: ${(await complaint).trim()}`);
}
