import type { BoardMessage } from './state';

/** Messages kept per kind and replayed to a new watcher. One state arrives per second, so 120 fill the charts. */
const KEPT = { state: 120, event: 100, ended: 1 } as const;

/** Forwards messages to all watchers and replays the newest ones to a new watcher. */
export class Feed {
  readonly #kept: BoardMessage[] = [];
  readonly #watchers = new Set<(message: BoardMessage) => void>();

  publish(message: BoardMessage): void {
    this.#kept.push(message);
    const sameKind = this.#kept.filter(({ kind }) => kind === message.kind);
    if (sameKind.length > KEPT[message.kind]) this.#kept.splice(this.#kept.indexOf(sameKind[0] as BoardMessage), 1);
    for (const onMessage of this.#watchers) onMessage(message);
  }

  get watched(): boolean {
    return this.#watchers.size > 0;
  }

  watch(onMessage: (message: BoardMessage) => void): () => void {
    for (const message of this.#kept) onMessage(message);
    this.#watchers.add(onMessage);
    return () => this.#watchers.delete(onMessage);
  }
}
