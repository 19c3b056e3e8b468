import cluster, { type Worker } from 'node:cluster';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { APP_DRAIN, READINESS_GRACE } from '../../lib/constants';
import type { FromPrimary, FromWorker } from './messages';
import { onStopRequest } from './stop-requests';

/** Backoff in milliseconds before a dead worker is replaced; doubled while workers die early. */
const MIN_BACKOFF = 100;
const MAX_BACKOFF = 5_000;
/** Uptime in milliseconds after which the backoff is reset. */
const STABLE_UPTIME = 30_000;

export interface PrimaryOptions {
  readonly workers: number;
  readonly log: Logger;
  /** Prepares the database; resolves to the pool size of each worker. */
  readonly prepare: () => Promise<number>;
  /** Called once, when all workers are ready. */
  readonly onReady: (port: number) => void;
  /** Called when a worker reports that it cannot start. */
  readonly onRefused: (line: string) => never;
}

/** Keeps the workers of this server alive: one per vCPU, as Node runs JavaScript on one thread. They share the port. */
export async function runPrimary(options: PrimaryOptions): Promise<void> {
  const { log } = options;
  const ready = new Set<number>();
  let announced = false;
  let stopping = false;
  let backoff = MIN_BACKOFF;

  const prepared = options.prepare();
  // Awaited below; this prevents an unhandled rejection until then.
  prepared.catch(() => {});

  const fork = () => {
    const worker = cluster.fork();
    const startedAt = Date.now();
    worker.on('message', (message: FromWorker) => {
      if (message.type === 'refused') options.onRefused(message.line);
      if (message.type === 'listening') {
        prepared.then((poolSize) => send(worker, { type: 'prepared', poolSize })).catch(() => {});
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
      if (Date.now() - startedAt > STABLE_UPTIME) backoff = MIN_BACKOFF;
      log.error({ worker: worker.process.pid, code, signal, backoff }, 'a worker died and will be replaced');
      setTimeout(() => stopping || fork(), backoff);
      backoff = Math.min(MAX_BACKOFF, backoff * 2);
    });
  };

  onStopRequest(async () => {
    stopping = true;
    await stopWorkers();
  });
  for (let count = 0; count < options.workers; count += 1) fork();
  await prepared;
}

/** Sends SIGKILL to all workers. */
export function killWorkers(): void {
  for (const worker of workers()) worker.process.kill('SIGKILL');
}

async function stopWorkers(): Promise<void> {
  const exits = workers().map((worker) => {
    send(worker, { type: 'stop' });
    return new Promise((resolve) => worker.once('exit', resolve));
  });
  const timeout = new AbortController();
  await Promise.race([
    Promise.all(exits),
    sleep((READINESS_GRACE + APP_DRAIN + 5) * 1000, undefined, { signal: timeout.signal }).catch(() => {}),
  ]);
  timeout.abort();
  killWorkers();
}

function workers(): Worker[] {
  return Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined && !worker.isDead()) as Worker[];
}

function send(worker: Worker, message: FromPrimary): void {
  // The worker may be exiting.
  if (worker.isConnected()) worker.send(message, () => {});
}
