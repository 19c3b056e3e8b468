import { firstLine } from '../programs/parts';
import { Feed } from './feed';
import type { BoardSource, BoardState } from './state';

/** Looks once a second, while somebody watches: nothing is measured for nobody. */
export class Poller {
  readonly #feed = new Feed();
  readonly #begin = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;

  /** @param look draws what there is now; called anew when the one before is done */
  constructor(private readonly look: (at: number) => Promise<BoardState>) {}

  readonly watch: BoardSource['watch'] = (tell) => {
    const unwatch = this.#feed.watch(tell);
    this.#timer ??= setInterval(() => this.now(), 1000);
    this.now();
    return unwatch;
  };

  /** One more look, such as when something has just happened. */
  now(): void {
    if (!this.#feed.watched) return;
    this.#looking ??= this.look(this.#at())
      .then((state) => this.#feed.publish({ kind: 'state', state }))
      .catch((error: Error) => this.tell(firstLine(error)))
      .finally(() => {
        this.#looking = undefined;
      });
  }

  readonly tell = (what: string): void => {
    this.#feed.publish({ kind: 'event', event: { at: this.#at(), what } });
  };

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Seconds since the start. */
  #at(): number {
    return (performance.now() - this.#begin) / 1000;
  }
}
