import type { DatabaseSettings } from '../data/db';
import { type Content, contents, differences, type Keys } from './compare';
import { streamCopy } from './copy';
import { CopyDiffers, MoveError, WritesPaused } from './errors';
import { decode } from './pgoutput';
import { preflight } from './preflight';
import { megabytes, type Progress } from './progress';
import { copySequences } from './sequences';
import { type Snapshot, Source } from './source';
import { keysOf } from './statements';
import { columnNames, listTables, movedTables, sqlColumns, sqlName, type Table } from './tables';
import { Target } from './target';

export interface MoveOptions {
  readonly from: DatabaseSettings;
  readonly to: DatabaseSettings;
  /** Folder of the `.sql` files. */
  readonly migrationsDir: string;
  /** Maximum pause in seconds, after which it is aborted. The comparison within the pause takes at most a quarter of it. */
  readonly maxPause: number;
  readonly progress: Progress;
  /** Aborts the move and resumes writes. */
  readonly signal: AbortSignal;
}

export interface Moved {
  /** Seconds from the pause until the target was open; absent if an earlier run opened it. */
  readonly pauseSeconds?: number;
  readonly tables: readonly Content[];
  /** Transactions replayed after the copy. */
  readonly followed: number;
}

/** Maximum changed rows to compare during the pause. */
const MAX_CHANGED_ROWS = 50_000;

/** Seconds that the last catch-up before the pause may take: the one in the pause takes about as long. */
const CAUGHT_UP = 0.5;

/** Milliseconds between two progress reports of a copy. */
const REPORT_INTERVAL = 1_000;

/**
 * Moves all data to the target and opens it.
 *
 * @throws WritesPaused if writes could not be resumed; after any other error the source accepts writes
 */
export async function move(options: MoveOptions): Promise<Moved> {
  const source = await Source.open(options.from);
  try {
    const target = await Target.open(options.to);
    try {
      return await new Move(options, source, target).run();
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

class Move {
  #tables: Table[] = [];
  #byName: ReadonlyMap<string, Table> = new Map();
  /** Keys of rows that were replayed since the last comparison. */
  #changedKeys = new Map<string, Map<string, string[]>>();
  #followed = 0;
  #pausedAt = 0;
  #timedOut = false;
  #opening = false;

  constructor(
    private readonly options: MoveOptions,
    private readonly source: Source,
    private readonly target: Target,
  ) {
    options.signal.addEventListener('abort', () => this.#disconnect());
  }

  async run(): Promise<Moved> {
    const { progress } = this.options;
    const step = await this.target.step();
    if (step === 'open') return this.#finishEarlierRun();
    if (await this.source.isPaused()) await this.#resumeEarlierRun(step);

    progress.step('check');
    const bytes = await preflight(this.source, this.target);
    progress.report({ bytes }, `the source has ${megabytes(bytes)}`);
    progress.step('schema');
    await this.target.prepare(this.options.migrationsDir);
    await this.#listTables();
    if (step !== 'copied' || !(await this.source.hasSlot())) await this.#copy();
    try {
      progress.step('follow');
      await this.#catchUp();
      const compared = await this.#compareUnderWrites();
      return await this.#switch(compared).catch((error) => this.#rollBack(error));
    } catch (error) {
      if (error instanceof CopyDiffers) {
        await this.target.discardCopy();
        await this.source.dropSlot();
      }
      throw error;
    }
  }

  /** Resumes writes if an earlier run was killed during its pause. */
  async #resumeEarlierRun(step: string | undefined): Promise<void> {
    if (step !== 'copied' || !(await this.source.hasSlot())) {
      throw new MoveError(
        'the source is read-only, but not because of a move to this target: run "back" to resume writes',
      );
    }
    await this.source.resume();
  }

  async #listTables(): Promise<void> {
    const sides = [await listTables(this.source.session), await listTables(this.target.session)] as const;
    const [source, target] = sides.map((tables) => new Map(tables.map((one) => [one.name, JSON.stringify(one)])));
    const names = new Set(sides.flat().map(({ name }) => name));
    const unequal = [...names].filter((name) => source?.get(name) !== target?.get(name));
    if (unequal.length > 0) {
      throw new MoveError(
        `tables of source and target differ: ${unequal.join(', ')}. The app on the source must have this version`,
      );
    }
    this.#tables = movedTables(sides[0]);
    this.#byName = new Map(this.#tables.map((table) => [table.name, table]));
  }

  async #copy(): Promise<void> {
    const { progress } = this.options;
    progress.step('copy');
    await this.target.truncate(this.#tables);
    const snapshot = await this.source.createSlot(this.#tables);
    try {
      for (const table of this.#tables) await this.#copyTable(table, snapshot);
    } finally {
      await snapshot.close();
    }
    await this.target.markCopied(snapshot.position);
  }

  async #copyTable(table: Table, snapshot: Snapshot): Promise<void> {
    const { progress } = this.options;
    const [name, columns] = [sqlName(table.name), sqlColumns(columnNames(table))];
    const { rows } = await snapshot.session.query('SELECT pg_table_size($1::regclass) AS bytes', [name]);
    const size = Number(rows[0].bytes);
    const done = { rows: 0, bytes: 0 };
    const report = () =>
      progress.report(
        { table: table.name, ...done, size },
        `${table.name}: ${done.rows} rows, ${megabytes(done.bytes)} as text, of ${megabytes(size)} on disk`,
      );
    let reportedAt = Date.now();
    await streamCopy(
      { session: snapshot.session, sql: `COPY ${name} (${columns}) TO STDOUT` },
      { session: this.target.session, sql: `COPY ${name} (${columns}) FROM STDIN` },
      (more, bytes) => {
        done.rows += more;
        done.bytes += bytes;
        if (Date.now() - reportedAt < REPORT_INTERVAL) return;
        reportedAt = Date.now();
        report();
      },
    );
    report();
  }

  /** Replays until it is close to the end of the WAL. */
  async #catchUp(): Promise<void> {
    for (;;) {
      const startedAt = performance.now();
      await this.#follow(await this.source.walEnd());
      const seconds = (performance.now() - startedAt) / 1000;
      if (seconds < CAUGHT_UP) return;
      this.options.progress.report({ followed: this.#followed }, `${this.#followed} transactions replayed`);
    }
  }

  /** Replays the transactions that committed before `upTo`. */
  async #follow(upTo: bigint): Promise<void> {
    for (;;) {
      const { messages, all } = await this.source.changes(upTo);
      const transactions = decode(messages);
      await this.target.apply(transactions, this.#byName);
      for (const change of transactions.flatMap(({ changes }) => changes)) this.#recordKeys(change);
      this.#followed += transactions.length;
      await this.source.confirm(all ? upTo : await this.target.appliedPosition());
      if (all) return;
    }
  }

  #recordKeys(change: Parameters<typeof keysOf>[0]): void {
    const table = this.#byName.get(change.table) as Table;
    const keys = this.#changedKeys.get(table.name) ?? new Map<string, string[]>();
    for (const key of keysOf(change, table)) keys.set(JSON.stringify(key), key);
    this.#changedKeys.set(table.name, keys);
  }

  /**
   * Compares while writes continue: all rows first, then the rows that changed meanwhile, until they are few. Each comparison
   * reads source and target at the same WAL position.
   */
  async #compareUnderWrites(): Promise<{ readonly all: Content[]; readonly seconds: number }> {
    const { progress } = this.options;
    progress.step('compare');
    let full: { all: Content[]; seconds: number } | undefined;
    let changedRows: number;
    do {
      const snapshot = await this.source.snapshot();
      try {
        await this.#follow(snapshot.position);
        const keys = this.#takeChangedKeys();
        const startedAt = performance.now();
        const found = await this.#compare(snapshot.session, full && keys);
        full ??= { all: found, seconds: (performance.now() - startedAt) / 1000 };
        const rows = found.reduce((sum, content) => sum + content.rows, 0);
        progress.report({ rows }, `${rows} rows are equal`);
      } finally {
        await snapshot.close();
      }
      await this.#catchUp();
      changedRows = [...this.#changedKeys.values()].reduce((sum, keys) => sum + keys.size, 0);
    } while (changedRows > MAX_CHANGED_ROWS);
    return full;
  }

  #takeChangedKeys(): Keys {
    const keys = this.#changedKeys;
    this.#changedKeys = new Map();
    return keys;
  }

  /** @throws CopyDiffers */
  async #compare(session: Snapshot['session'], keys?: Keys): Promise<Content[]> {
    const [atSource, atTarget] = await Promise.all([
      contents(session, this.#tables, keys),
      contents(this.target.session, this.#tables, keys),
    ]);
    const different = differences(atSource, atTarget);
    if (different.length > 0) throw new CopyDiffers(`source and target differ:\n${different.join('\n')}`);
    return atSource;
  }

  async #switch(compared: { readonly all: Content[]; readonly seconds: number }): Promise<Moved> {
    const { progress, maxPause } = this.options;
    progress.step('pause');
    this.#pausedAt = performance.now();
    const timer = setTimeout(() => this.#abortPause(), maxPause * 1000);
    try {
      await this.source.pause();
      progress.step('drain');
      await this.#follow(await this.source.flushWal());
      progress.step('verify');
      await copySequences(this.source.session, this.target.session);
      const all = compared.seconds < maxPause / 4;
      const found = await this.#compare(this.source.session, all ? undefined : this.#takeChangedKeys());
      await this.#checkForWrites();
      progress.step('open');
      this.#opening = true;
      await this.target.openForWrites();
      clearTimeout(timer);
      const pauseSeconds = Number(this.#secondsSincePause().toFixed(3));
      await this.#clean();
      return { pauseSeconds, tables: all ? found : compared.all, followed: this.#followed };
    } finally {
      clearTimeout(timer);
    }
  }

  #abortPause(): void {
    this.#timedOut = true;
    this.#disconnect();
  }

  /** Makes all running queries fail. */
  #disconnect(): void {
    this.source.disconnect();
    this.target.disconnect();
  }

  /** @throws MoveError if the WAL contains writes that the pause should have prevented */
  async #checkForWrites(): Promise<void> {
    const { messages } = await this.source.changes(await this.source.flushWal());
    const changes = decode(messages).flatMap((transaction) => transaction.changes);
    if (changes.length > 0) throw new MoveError(`${changes.length} rows were written at the source during the pause`);
  }

  /** Drops the slot. The target is open, so an error here is only a warning. */
  async #clean(): Promise<void> {
    const { progress } = this.options;
    progress.step('clean');
    await this.source.dropSlot().catch((error: Error) => {
      progress.report({ warning: error.message }, `warning: cannot drop the slot, run again: ${error.message}`);
    });
  }

  async #finishEarlierRun(): Promise<Moved> {
    this.options.progress.report({}, 'an earlier run opened the target');
    if (!(await this.source.isPaused())) await this.source.pause();
    await this.#clean();
    return { tables: [], followed: 0 };
  }

  #secondsSincePause(): number {
    return (performance.now() - this.#pausedAt) / 1000;
  }

  /** Resumes writes at the source, unless the target is open. */
  async #rollBack(error: Error): Promise<Moved> {
    const { options } = this;
    const reason = this.#timedOut ? new MoveError(`the pause exceeded its limit of ${options.maxPause} s`) : error;
    if (this.#opening && (await this.#isOpen(reason))) {
      await this.#clean();
      return { tables: [], followed: this.#followed };
    }
    try {
      await this.source.resume();
    } catch (problem) {
      throw new WritesPaused(`${reason.message}\ncannot resume writes: ${(problem as Error).message}`);
    }
    const seconds = this.#secondsSincePause().toFixed(1);
    options.progress.report({ wayBack: true }, `writes at the source resumed after a pause of ${seconds} s`);
    throw reason;
  }

  /** Queries the target in a new session, whose lock waits for a commit in progress. */
  async #isOpen(reason: Error): Promise<boolean> {
    this.target.disconnect();
    try {
      const target = await Target.open(this.options.to);
      const step = await target.step();
      await target.close();
      return step === 'open';
    } catch (problem) {
      throw new WritesPaused(
        `${reason.message}\ncannot query whether the target is open: ${(problem as Error).message}`,
      );
    }
  }
}
