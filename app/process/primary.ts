import cluster, { type Worker } from 'node:cluster';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { APP_DRAIN, READINESS_GRACE } from '../../lib/constants';
import type { FromPrimary, FromWorker } from './messages';
import { onStopRequest } from './stop-requests';

/** Milliseconds until a worker that died is replaced; doubled while they die young. */
const FIRST_PAUSE = 100;
const MAX_PAUSE = 5_000;
/** Milliseconds after which a worker has not died young. */
const SETTLED = 30_000;

export interface PrimaryOptions {
  readonly workers: number;
  readonly log: Logger;
  /** Prepares the database; resolves to the connections of each worker. */
  readonly prepare: () => Promise<number>;
  /** Called once, when all workers serve. */
  readonly onReady: (port: number) => void;
  /** Called when no worker can start. */
  readonly onRefused: (line: string) => never;
}

/** Keeps the workers of this server alive: one a vCPU, as Node runs JavaScript on one. They share the port. */
export async function runPrimary(options: PrimaryOptions): Promise<void> {
  const { log } = options;
  const ready = new Set<number>();
  let announced = false;
  let stopping = false;
  let pause = FIRST_PAUSE;

  const prepared = options.prepare();
  // Awaited below; a failure in the meantime is not unhandled.
  prepared.catch(() => {});

  const fork = () => {
    const worker = cluster.fork();
    const bornAt = Date.now();
    worker.on('message', (message: FromWorker) => {
      if (message.type === 'refused') options.onRefused(message.line);
      if (message.type === 'listening') {
        prepared.then((poolSize) => tell(worker, { type: 'prepared', poolSize })).catch(() => {});
      }
      if (message.type === 'ready') {
        ready.add(worker.id);
        if (!announced && ready.size === options.workers) {
          announced = true;
          options.onReady(message.port);
        }
      }
    });
    worker.once('exit', (code, signal) => {
      ready.delete(worker.id);
      if (stopping) return;
      if (Date.now() - bornAt > SETTLED) pause = FIRST_PAUSE;
      log.error({ worker: worker.process.pid, code, signal, pause }, 'a worker died and will be replaced');
      setTimeout(() => stopping || fork(), pause);
      pause = Math.min(MAX_PAUSE, pause * 2);
    });
  };

  onStopRequest(async () => {
    stopping = true;
    await stopWorkers();
  });
  for (let count = 0; count < options.workers; count += 1) fork();
  await prepared;
}

/** All at once, however they are. */
export function killWorkers(): void {
  for (const worker of workers()) worker.process.kill('SIGKILL');
}

async function stopWorkers(): Promise<void> {
  const ended = workers().map((worker) => {
    tell(worker, { type: 'stop' });
    return new Promise((resolve) => worker.once('exit', resolve));
  });
  const patience = new AbortController();
  await Promise.race([
    Promise.all(ended),
    sleep((READINESS_GRACE + APP_DRAIN + 5) * 1000, undefined, { signal: patience.signal }).catch(() => {}),
  ]);
  patience.abort();
  killWorkers();
}

function workers(): Worker[] {
  return Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined && !worker.isDead()) as Worker[];
}

function tell(worker: Worker, message: FromPrimary): void {
  // It may be on its way out already.
  if (worker.isConnected()) worker.send(message, () => {});
}
