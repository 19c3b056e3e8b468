import type { BoardMessage } from './state';

/** What somebody who opens the board later is still told: as many seconds as its charts show, and events of the same time. */
const KEPT = { state: 120, event: 100, over: 1 } as const;

/** Hands on what a board is told, and keeps the newest of it. */
export class Feed {
  readonly #kept: BoardMessage[] = [];
  readonly #watchers = new Set<(told: BoardMessage) => void>();

  publish(told: BoardMessage): void {
    this.#kept.push(told);
    const same = this.#kept.filter(({ kind }) => kind === told.kind);
    if (same.length > KEPT[told.kind]) this.#kept.splice(this.#kept.indexOf(same[0] as BoardMessage), 1);
    for (const tell of this.#watchers) tell(told);
  }

  get watched(): boolean {
    return this.#watchers.size > 0;
  }

  watch(tell: (told: BoardMessage) => void): () => void {
    for (const told of this.#kept) tell(told);
    this.#watchers.add(tell);
    return () => this.#watchers.delete(tell);
  }
}
