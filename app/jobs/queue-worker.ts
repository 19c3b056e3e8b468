import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Database } from '../data/db';
import { Unavailable } from '../errors';
import type { Delivery, SqsClient } from './queue';
import { doQueuedJob } from './runner';

/** Jobs that one worker does at a time, and so the connections to the database that it needs. */
export const LANES = 4;

/** Milliseconds until the queue or the database is tried again. */
const PAUSE = 1_000;

/** Longest pause between two attempts at a job, in seconds. */
const MAX_BACKOFF = 300;

/**
 * Does the jobs that the queue hands out. One that fails goes back, for later; the queue puts it aside after some attempts.
 * While the database is away a job in hand is kept and no other is taken: it is not the job's fault, and would use up its
 * attempts.
 */
export class QueueWorker {
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();

  /** @param hiddenFor seconds for which the queue hides what it hands out */
  constructor(
    private readonly queue: SqsClient,
    private readonly hiddenFor: number,
    private readonly database: Database,
    private readonly log: Logger,
  ) {}

  start(): void {
    this.#running = this.#run();
  }

  /** Resolves when the jobs in hand are done; those not begun go back to the queue. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.#work(await this.queue.receive(signal));
      } catch (error) {
        if (signal.aborted) return;
        this.log.warn({ err: error }, 'the worker waits for the queue');
        await this.#pause();
      }
    }
  }

  async #work(deliveries: readonly Delivery[]): Promise<void> {
    const inHand = new Set(deliveries);
    const done: Delivery[] = [];
    const holding = setInterval(() => this.#hold(inHand), (this.hiddenFor * 1000) / 3);
    const waiting = [...deliveries];
    const lane = async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        if (await this.#do(next)) done.push(next);
        inHand.delete(next);
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    clearInterval(holding);
    // Or they come out again, which does no harm.
    await this.queue.remove(done);
  }

  /** @returns whether the job is done, now or before */
  async #do(delivery: Delivery): Promise<boolean> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await doQueuedJob(this.database, delivery.job);
        return true;
      } catch (error) {
        if (!(error instanceof Unavailable)) {
          this.log.error({ err: error, delivery }, 'a job failed and will be tried again');
          await this.#giveBack(delivery, Math.min(MAX_BACKOFF, 2 ** Math.min(delivery.count, 16)));
          return false;
        }
        this.log.warn({ err: error.cause }, 'the worker waits for the database');
        await this.#pause();
      }
    }
    await this.#giveBack(delivery, 0);
    return false;
  }

  #hold(inHand: ReadonlySet<Delivery>): void {
    for (const delivery of inHand) void this.#giveBack(delivery, this.hiddenFor);
  }

  async #giveBack(delivery: Delivery, seconds: number): Promise<void> {
    // When it fails, the queue hands the job out again by itself.
    await this.queue.hide(delivery, seconds).catch((error) => this.log.debug({ err: error, delivery }, 'not hidden'));
  }

  async #pause(): Promise<void> {
    await sleep(PAUSE, undefined, { signal: this.#stopping.signal }).catch(() => {});
  }
}
