import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Database } from '../data/db';
import { Unavailable } from '../errors';
import type { Delivery, SqsClient } from './queue';
import { runQueuedJob } from './runner';

/** Jobs that one worker runs at a time. Each needs a database connection. */
export const CONCURRENCY = 4;

/** Delay in milliseconds before the queue or the database is retried. */
const RETRY_DELAY = 1_000;

/** Maximum delay between two attempts of a job, in seconds. */
const MAX_BACKOFF = 300;

/**
 * Runs the jobs of the queue. A failed job returns to the queue with exponential backoff. After several attempts SQS moves it
 * to the dead-letter queue. While the database is down, a worker keeps its jobs and receives no others: an outage must not use
 * up the attempts of a job.
 */
export class QueueWorker {
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();

  /** @param visibilityTimeout of the queue, in seconds */
  constructor(
    private readonly queue: SqsClient,
    private readonly visibilityTimeout: number,
    private readonly database: Database,
    private readonly log: Logger,
  ) {}

  start(): void {
    this.#running = this.#run();
  }

  /** Resolves when running jobs are done. Jobs that were not started return to the queue. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.#runAll(await this.queue.receive(signal));
      } catch (error) {
        if (signal.aborted) return;
        this.log.warn({ err: error }, 'the queue is unavailable, retrying');
        await this.#delay();
      }
    }
  }

  async #runAll(deliveries: readonly Delivery[]): Promise<void> {
    const inFlight = new Set(deliveries);
    const done: Delivery[] = [];
    const heartbeat = setInterval(() => this.#extend(inFlight), (this.visibilityTimeout * 1000) / 3);
    const waiting = [...deliveries];
    const runWaiting = async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        if (await this.#runOne(next)) done.push(next);
        inFlight.delete(next);
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, runWaiting));
    clearInterval(heartbeat);
    // If this fails, they are delivered again, which has no effect.
    await this.queue.delete(done);
  }

  /** @returns whether the job is done, now or by an earlier delivery */
  async #runOne(delivery: Delivery): Promise<boolean> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await runQueuedJob(this.database, delivery.job);
        return true;
      } catch (error) {
        if (!(error instanceof Unavailable)) {
          this.log.error({ err: error, delivery }, 'a job failed and will be retried');
          await this.#setVisibilityTimeout(delivery, Math.min(MAX_BACKOFF, 2 ** Math.min(delivery.receiveCount, 16)));
          return false;
        }
        this.log.warn({ err: error.cause }, 'the database is unavailable, retrying');
        await this.#delay();
      }
    }
    await this.#setVisibilityTimeout(delivery, 0);
    return false;
  }

  /** Keeps the messages of unfinished jobs invisible to other workers. */
  #extend(inFlight: ReadonlySet<Delivery>): void {
    for (const delivery of inFlight) void this.#setVisibilityTimeout(delivery, this.visibilityTimeout);
  }

  async #setVisibilityTimeout(delivery: Delivery, seconds: number): Promise<void> {
    // If this fails, SQS delivers the message again when its timeout ends.
    await this.queue.setVisibilityTimeout(delivery, seconds).catch((error) => {
      this.log.debug({ err: error, delivery }, 'cannot set the visibility timeout');
    });
  }

  async #delay(): Promise<void> {
    await sleep(RETRY_DELAY, undefined, { signal: this.#stopping.signal }).catch(() => {});
  }
}
