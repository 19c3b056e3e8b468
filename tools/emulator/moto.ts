import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { freePort, runOnProcessExit } from '../support/processes';
import { motoVersion } from '../support/programs';

/** A moto server: AWS APIs on loopback. Its state is in memory only. */
export interface Moto {
  readonly pid: number;
  /** `http://localhost:PORT`; moto recognizes its own S3 URLs by the host name "localhost". */
  readonly endpoint: string;
  /** Unsupported resource types that its CloudFormation has skipped so far. */
  skippedTypes(): Promise<ReadonlySet<string>>;
  /** Last lines of its log. */
  log(): string;
  stop(): Promise<void>;
}

/**
 * Starts a moto server and waits until it responds.
 *
 * @throws Error with the install command if moto is missing
 */
export async function startMoto(): Promise<Moto> {
  if (motoVersion() === undefined) {
    throw new Error("moto server is missing. Install it: pip install 'moto[server]'");
  }
  const port = await freePort();
  const child = spawn('python3', [join(__dirname, 'moto_server.py'), '-H', '127.0.0.1', '-p', String(port)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const cancel = runOnProcessExit('kill "$1"', [String(child.pid)]);
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
  }
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async () => {
    child.kill('SIGTERM');
    await exited;
    cancel();
  };
  const endpoint = `http://localhost:${port}`;
  try {
    await waitUntilReady(endpoint, child);
  } catch (error) {
    await stop();
    throw new Error(`${(error as Error).message}\n${log.trim()}`);
  }
  return {
    pid: child.pid as number,
    endpoint,
    skippedTypes: async () => {
      // Log lines written before the last response may still be unread in this event-loop iteration.
      await setImmediate();
      return new Set([...log.matchAll(SKIPPED)].map((match) => match[1] as string));
    },
    log: () => log.trimEnd().split('\n').slice(-20).join('\n'),
    stop,
  };
}

/** moto's warning about an unsupported type. */
const SKIPPED = /Tried to parse (AWS::[A-Za-z0-9:]+) but it's not supported/g;

async function waitUntilReady(endpoint: string, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error('moto server exited during startup:');
    try {
      await fetch(`${endpoint}/moto-api/`, { signal: AbortSignal.timeout(5_000) });
      return;
    } catch {
      await sleep(100);
    }
  }
  throw new Error('moto server did not respond within 60 s:');
}
