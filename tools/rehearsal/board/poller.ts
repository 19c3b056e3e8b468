import { firstLine } from '../programs/parts';
import { Feed } from './feed';
import type { BoardSource, BoardState } from './state';

/** Polls once per second, only while at least one page is open. */
export class Poller {
  readonly #feed = new Feed();
  readonly #start = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #polling: Promise<void> | undefined;

  /** @param read returns the current state; calls never overlap */
  constructor(private readonly read: (at: number) => Promise<BoardState>) {}

  readonly watch: BoardSource['watch'] = (onMessage) => {
    const unwatch = this.#feed.watch(onMessage);
    this.#timer ??= setInterval(() => this.poll(), 1000);
    this.poll();
    return unwatch;
  };

  /** Polls immediately, such as after an event. */
  poll(): void {
    if (!this.#feed.watched) return;
    this.#polling ??= this.read(this.#at())
      .then((state) => this.#feed.publish({ kind: 'state', state }))
      .catch((error: Error) => this.log(firstLine(error)))
      .finally(() => {
        this.#polling = undefined;
      });
  }

  /** Adds an entry to the event log. */
  readonly log = (what: string): void => {
    this.#feed.publish({ kind: 'event', event: { at: this.#at(), what } });
  };

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Seconds since the start. */
  #at(): number {
    return (performance.now() - this.#start) / 1000;
  }
}
