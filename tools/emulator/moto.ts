import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { freePort, whenThisProcessDies } from '../support/processes';
import { motoVersion } from '../support/programs';

/** A moto server: AWS's API on loopback, kept in memory, gone when it stops. */
export interface Moto {
  readonly pid: number;
  /** `http://localhost:PORT`; moto tells its own S3 links by the word "localhost". */
  readonly endpoint: string;
  /** Resource types that its CloudFormation does not know and left out so far. */
  skippedTypes(): Promise<ReadonlySet<string>>;
  /** The end of what it logged. */
  log(): string;
  stop(): Promise<void>;
}

/** @throws with the command that installs moto, when it is not here */
export async function startMoto(): Promise<Moto> {
  if (motoVersion() === undefined) {
    throw new Error("moto server is not here, and this verb deploys to it: pip install 'moto[server]'");
  }
  const port = await freePort();
  const child = spawn('python3', [join(__dirname, 'moto_server.py'), '-H', '127.0.0.1', '-p', String(port)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const callOff = whenThisProcessDies('kill "$1"', [String(child.pid)]);
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
    callOff();
  };
  const endpoint = `http://localhost:${port}`;
  try {
    await answering(endpoint, child);
  } catch (error) {
    await stop();
    throw new Error(`${(error as Error).message}\n${log.trim()}`);
  }
  return {
    pid: child.pid as number,
    endpoint,
    skippedTypes: async () => {
      // What it said before its last answer may be read only after that, in the same turn of the event loop.
      await setImmediate();
      return new Set([...log.matchAll(SKIPPED)].map((match) => match[1] as string));
    },
    log: () => log.trimEnd().split('\n').slice(-20).join('\n'),
    stop,
  };
}

/** What moto's CloudFormation warns of a type that it does not know. */
const SKIPPED = /Tried to parse (AWS::[A-Za-z0-9:]+) but it's not supported/g;

async function answering(endpoint: string, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error('moto server ended before it answered:');
    try {
      await fetch(`${endpoint}/moto-api/`, { signal: AbortSignal.timeout(5_000) });
      return;
    } catch {
      await sleep(100);
    }
  }
  throw new Error('moto server did not answer within 60 s:');
}
