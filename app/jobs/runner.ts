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

/** Milliseconds between looks for jobs that another process left, and after the database did not answer. */
const POLL = 1_000;
const HOUSEKEEPING = 3_600_000;

/**
 * Looks after the shop's background jobs inside this process: does them, or, where there is a queue, hands them to it. Every
 * process of every server may run one. A job is locked while it is done, and its effect and its removal are one transaction,
 * so that it takes effect exactly once, whatever is killed when.
 */
export class JobRunner {
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #busy = false;
  #again = false;
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

  /** Looks for jobs now instead of at the next poll; call it after a job was committed. */
  nudge(): void {
    if (this.#stopped) return;
    if (this.#busy) {
      this.#again = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#busy = true;
    this.#running = this.#work();
  }

  /** Resolves when the job in hand is done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #work(): Promise<void> {
    try {
      do {
        this.#again = false;
        while (!this.#stopped && (await (this.queue ? this.#handOver(this.queue) : this.#runOne())));
      } while (this.#again && !this.#stopped);
      await this.#keepHouse();
    } catch (error) {
      this.log.warn({ err: error }, 'background jobs wait for the database or the queue');
    } finally {
      this.#busy = false;
      // At random, so that the processes of a fleet do not all ask at the same moment.
      if (!this.#stopped) this.#timer = setTimeout(() => this.nudge(), POLL * (0.75 + Math.random() / 2));
    }
  }

  /** @returns whether there was a job */
  async #runOne(): Promise<boolean> {
    let taken: Job | undefined;
    try {
      return await this.database.transaction(async (tx) => {
        [taken] = await lockDueJobs(tx, 1);
        if (taken) await perform(tx, taken);
        return taken !== undefined;
      });
    } catch (error) {
      if (taken === undefined) throw error;
      this.log.error({ err: error, job: taken }, 'a job failed and will be tried again');
      await postponeJob(this.database, taken);
      return true;
    }
  }

  /**
   * Sends first and notes it after: a job may be sent twice, but none is forgotten.
   *
   * @returns whether there were jobs
   */
  #handOver(queue: SqsClient): Promise<boolean> {
    return this.database.transaction(async (tx) => {
      const jobs = await lockDueJobs(tx, BATCH);
      if (jobs.length === 0) return false;
      const sent = await queue.send(jobs.map(({ id }) => id));
      if (sent.length === 0) throw new Error('the queue took none of the jobs');
      await markQueued(tx, sent);
      return true;
    });
  }

  async #keepHouse(): Promise<void> {
    if (Date.now() < this.#nextHousekeeping) return;
    this.#nextHousekeeping = Date.now() + HOUSEKEEPING;
    await removeAbandonedCarts(this.database, SESSION_LIFETIME + HOUSEKEEPING / 1000);
  }
}

/** Does a job that came out of the queue. It may have come before: a job that is done is not there any more. */
export async function doQueuedJob(database: Database, id: string): Promise<void> {
  if (id === '') throw new Error('the message names no job');
  await database.transaction(async (tx) => {
    const job = await lockJob(tx, id);
    if (job) await perform(tx, job);
  });
}

async function perform(tx: Queryable, job: Job): Promise<void> {
  await issueReceipt(tx, job.orderId);
  await removeJob(tx, job.id);
}
