import type { Logger } from 'pino';
import type { Database, Queryable } from '../data/db';
import { removeAbandonedCarts } from '../data/repositories/carts';
import {
  issueReceipt,
  type Job,
  lockDueJobs,
  lockJob,
  markQueued,
  postponeJob,
  removeJob,
} from '../data/repositories/jobs';
import { SESSION_LIFETIME } from '../sessions';
import { BATCH, type SqsClient } from './queue';

/** Milliseconds between two polls for jobs of other processes, and before a retry when the database is down. */
const POLL_INTERVAL = 1_000;
const HOUSEKEEPING_INTERVAL = 3_600_000;

/**
 * Polls the outbox of background jobs. Runs the jobs in this process, or sends them to the queue if there is one. Each process
 * may have a runner. A job is locked while it runs, and its effect and its removal are one transaction, so it takes effect
 * exactly once even if processes are killed.
 */
export class JobRunner {
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #busy = false;
  #pollAgain = false;
  #stopped = true;
  #nextHousekeeping = 0;

  constructor(
    private readonly database: Database,
    private readonly log: Logger,
    private readonly queue?: SqsClient,
  ) {}

  start(): void {
    this.#stopped = false;
    this.nudge();
  }

  /** Polls now instead of at the next interval. Call it after committing a job. */
  nudge(): void {
    if (this.#stopped) return;
    if (this.#busy) {
      this.#pollAgain = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#busy = true;
    this.#running = this.#poll();
  }

  /** Resolves when the running job is done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #poll(): Promise<void> {
    try {
      do {
        this.#pollAgain = false;
        while (!this.#stopped && (await (this.queue ? this.#sendDueJobs(this.queue) : this.#runOne())));
      } while (this.#pollAgain && !this.#stopped);
      await this.#runHousekeeping();
    } catch (error) {
      this.log.warn({ err: error }, 'background jobs: the database or the queue is unavailable, retrying');
    } finally {
      this.#busy = false;
      // Jitter, so that the processes of a fleet do not poll at the same time.
      if (!this.#stopped) this.#timer = setTimeout(() => this.nudge(), POLL_INTERVAL * (0.75 + Math.random() / 2));
    }
  }

  /** @returns whether there was a job */
  async #runOne(): Promise<boolean> {
    let job: Job | undefined;
    try {
      return await this.database.transaction(async (tx) => {
        [job] = await lockDueJobs(tx, 1);
        if (job) await perform(tx, job);
        return job !== undefined;
      });
    } catch (error) {
      if (job === undefined) throw error;
      this.log.error({ err: error, job }, 'a job failed and will be retried');
      await postponeJob(this.database, job);
      return true;
    }
  }

  /**
   * Sends before it records: a job may be sent twice, but is never lost.
   *
   * @returns whether there were jobs
   */
  #sendDueJobs(queue: SqsClient): Promise<boolean> {
    return this.database.transaction(async (tx) => {
      const jobs = await lockDueJobs(tx, BATCH);
      if (jobs.length === 0) return false;
      const sent = await queue.send(jobs.map(({ id }) => id));
      if (sent.length === 0) throw new Error('SQS accepted none of the jobs');
      await markQueued(tx, sent);
      return true;
    });
  }

  async #runHousekeeping(): Promise<void> {
    if (Date.now() < this.#nextHousekeeping) return;
    this.#nextHousekeeping = Date.now() + HOUSEKEEPING_INTERVAL;
    await removeAbandonedCarts(this.database, SESSION_LIFETIME + HOUSEKEEPING_INTERVAL / 1000);
  }
}

/** Runs a job from the queue. Does nothing if an earlier delivery completed it. */
export async function runQueuedJob(database: Database, id: string): Promise<void> {
  if (id === '') throw new Error('the message has no job id');
  await database.transaction(async (tx) => {
    const job = await lockJob(tx, id);
    if (job) await perform(tx, job);
  });
}

async function perform(tx: Queryable, job: Job): Promise<void> {
  await issueReceipt(tx, job.orderId);
  await removeJob(tx, job.id);
}
