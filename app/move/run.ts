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
  /** Seconds after which a pause is given up. What is compared in it is chosen so that it takes a quarter of them at most. */
  readonly maxPause: number;
  readonly progress: Progress;
  /** Ends the move where it is, and lets writes go on. */
  readonly signal: AbortSignal;
}

export interface Moved {
  /** Seconds from the pause of the writes until the target was open; absent when an earlier run had opened it. */
  readonly pauseSeconds?: number;
  readonly tables: readonly Content[];
  /** Transactions that were repeated after the copy. */
  readonly followed: number;
}

/** Changed rows that may be left to compare in the pause. */
const FEW = 50_000;

/** Seconds that catching up may take until writes are paused: what comes after it takes about as long. */
const CLOSE_BEHIND = 0.5;

/** Milliseconds between two lines about a copy. */
const TELL_EVERY = 1_000;

/** Moves everything to the target and opens it. When it throws, the source goes on, or {@link WritesPaused} says that it cannot. */
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
  /** Keys of the rows that were repeated since the last comparison. */
  #touched = new Map<string, Map<string, string[]>>();
  #followed = 0;
  #pausedAt = 0;
  #gaveUp = false;
  #opening = false;

  constructor(
    private readonly options: MoveOptions,
    private readonly source: Source,
    private readonly target: Target,
  ) {
    options.signal.addEventListener('abort', () => this.#abandon());
  }

  async run(): Promise<Moved> {
    const { progress } = this.options;
    const step = await this.target.step();
    if (step === 'open') return this.#finishEarlier();
    if (await this.source.isPaused()) await this.#resumeEarlier(step);

    progress.step('check');
    const bytes = await preflight(this.source, this.target);
    progress.tell({ bytes }, `the source holds ${megabytes(bytes)}`);
    progress.step('schema');
    await this.target.prepare(this.options.migrationsDir);
    await this.#listTables();
    if (step !== 'copied' || !(await this.source.isKept())) await this.#copy();
    try {
      progress.step('follow');
      await this.#catchUp();
      const compared = await this.#compareAtPoints();
      return await this.#switch(compared).catch((error) => this.#wayBack(error));
    } catch (error) {
      if (error instanceof CopyDiffers) {
        await this.target.discard();
        await this.source.forget();
      }
      throw error;
    }
  }

  /** An earlier run was killed in its pause, and had not opened the target. */
  async #resumeEarlier(step: string | undefined): Promise<void> {
    if (step !== 'copied' || !(await this.source.isKept())) {
      throw new MoveError('the source is read-only, and not by a move to this target: "back" would let it take writes');
    }
    await this.source.resume();
  }

  async #listTables(): Promise<void> {
    const [here, there] = [await listTables(this.source.session), await listTables(this.target.session)];
    const [mine, other] = [here, there].map((tables) => new Map(tables.map((one) => [one.name, JSON.stringify(one)])));
    const names = new Set([...here, ...there].map(({ name }) => name));
    const unequal = [...names].filter((name) => mine?.get(name) !== other?.get(name));
    if (unequal.length > 0) {
      throw new MoveError(
        `not the same at source and target: ${unequal.join(', ')}. The app that runs on the source must be of this version`,
      );
    }
    this.#tables = movedTables(here);
    this.#byName = new Map(this.#tables.map((table) => [table.name, table]));
  }

  async #copy(): Promise<void> {
    const { progress } = this.options;
    progress.step('copy');
    await this.target.empty(this.#tables);
    const snapshot = await this.source.begin(this.#tables);
    try {
      for (const table of this.#tables) await this.#copyTable(table, snapshot);
    } finally {
      await snapshot.close();
    }
    await this.target.copied(snapshot.position);
  }

  async #copyTable(table: Table, snapshot: Snapshot): Promise<void> {
    const { progress } = this.options;
    const [name, columns] = [sqlName(table.name), sqlColumns(columnNames(table))];
    const { rows } = await snapshot.session.query('SELECT pg_table_size($1::regclass) AS bytes', [name]);
    const size = Number(rows[0].bytes);
    const done = { rows: 0, bytes: 0 };
    const tell = () =>
      progress.tell(
        { table: table.name, ...done, size },
        `${table.name}: ${done.rows} rows, ${megabytes(done.bytes)} as text, of ${megabytes(size)} on disk`,
      );
    let told = Date.now();
    await streamCopy(
      { session: snapshot.session, sql: `COPY ${name} (${columns}) TO STDOUT` },
      { session: this.target.session, sql: `COPY ${name} (${columns}) FROM STDIN` },
      (more, bytes) => {
        done.rows += more;
        done.bytes += bytes;
        if (Date.now() - told < TELL_EVERY) return;
        told = Date.now();
        tell();
      },
    );
    tell();
  }

  /** Until little is left to do. */
  async #catchUp(): Promise<void> {
    for (;;) {
      const begin = performance.now();
      await this.#follow(await this.source.end());
      const seconds = (performance.now() - begin) / 1000;
      if (seconds < CLOSE_BEHIND) return;
      this.options.progress.tell({ followed: this.#followed }, `${this.#followed} transactions`);
    }
  }

  /** Repeats what was committed up to there. */
  async #follow(upTo: bigint): Promise<void> {
    for (;;) {
      const { messages, all } = await this.source.changes(upTo);
      const transactions = decode(messages);
      await this.target.apply(transactions, this.#byName);
      for (const change of transactions.flatMap(({ changes }) => changes)) this.#touch(change);
      this.#followed += transactions.length;
      await this.source.confirm(all ? upTo : await this.target.applied());
      if (all) return;
    }
  }

  #touch(change: Parameters<typeof keysOf>[0]): void {
    const table = this.#byName.get(change.table) as Table;
    const keys = this.#touched.get(table.name) ?? new Map<string, string[]>();
    for (const key of keysOf(change, table)) keys.set(JSON.stringify(key), key);
    this.#touched.set(table.name, keys);
  }

  /**
   * Compares while writes go on: all of it, and then what changed in the meantime, until that is little. The source is looked
   * at as it was at a point of its log, and the target when it has come exactly there.
   */
  async #compareAtPoints(): Promise<{ readonly all: Content[]; readonly seconds: number }> {
    const { progress } = this.options;
    progress.step('compare');
    let everything: { all: Content[]; seconds: number } | undefined;
    let left: number;
    do {
      const point = await this.source.point();
      try {
        await this.#follow(point.position);
        const keys = this.#takeTouched();
        const begin = performance.now();
        const found = await this.#compare(point.session, everything && keys);
        everything ??= { all: found, seconds: (performance.now() - begin) / 1000 };
        const rows = found.reduce((sum, content) => sum + content.rows, 0);
        progress.tell({ rows }, `${rows} rows are equal`);
      } finally {
        await point.close();
      }
      await this.#catchUp();
      left = [...this.#touched.values()].reduce((sum, keys) => sum + keys.size, 0);
    } while (left > FEW);
    return everything;
  }

  #takeTouched(): Keys {
    const touched = this.#touched;
    this.#touched = new Map();
    return touched;
  }

  /** @throws CopyDiffers */
  async #compare(session: Snapshot['session'], keys?: Keys): Promise<Content[]> {
    const [here, there] = await Promise.all([
      contents(session, this.#tables, keys),
      contents(this.target.session, this.#tables, keys),
    ]);
    const different = differences(here, there);
    if (different.length > 0) throw new CopyDiffers(`source and target differ:\n${different.join('\n')}`);
    return here;
  }

  async #switch(compared: { readonly all: Content[]; readonly seconds: number }): Promise<Moved> {
    const { progress, maxPause } = this.options;
    progress.step('pause');
    this.#pausedAt = performance.now();
    const timer = setTimeout(() => this.#giveUp(), maxPause * 1000);
    try {
      await this.source.pause();
      progress.step('drain');
      await this.#follow(await this.source.flushedEnd());
      progress.step('verify');
      await copySequences(this.source.session, this.target.session);
      const all = compared.seconds < maxPause / 4;
      const found = await this.#compare(this.source.session, all ? undefined : this.#takeTouched());
      await this.#nothingSlippedIn();
      progress.step('open');
      this.#opening = true;
      await this.target.openForAll();
      clearTimeout(timer);
      const pauseSeconds = Number(this.#pausedFor().toFixed(3));
      await this.#clean();
      return { pauseSeconds, tables: all ? found : compared.all, followed: this.#followed };
    } finally {
      clearTimeout(timer);
    }
  }

  #giveUp(): void {
    this.#gaveUp = true;
    this.#abandon();
  }

  /** Whatever is under way fails. */
  #abandon(): void {
    this.source.abandon();
    this.target.abandon();
  }

  /** Whoever had found a way to write would have left a trace in the log. */
  async #nothingSlippedIn(): Promise<void> {
    const { messages } = await this.source.changes(await this.source.flushedEnd());
    const changes = decode(messages).flatMap((transaction) => transaction.changes);
    if (changes.length > 0) throw new MoveError(`${changes.length} rows were written at the source during the pause`);
  }

  /** The target is open from here on, so nothing that fails now may look as if the move had failed. */
  async #clean(): Promise<void> {
    const { progress } = this.options;
    progress.step('clean');
    await this.source.forget().catch((error: Error) => {
      progress.tell({ warning: error.message }, `warning: the slot is left at the source, run again: ${error.message}`);
    });
  }

  async #finishEarlier(): Promise<Moved> {
    this.options.progress.tell({}, 'an earlier run has opened the target');
    if (!(await this.source.isPaused())) await this.source.pause();
    await this.#clean();
    return { tables: [], followed: 0 };
  }

  #pausedFor(): number {
    return (performance.now() - this.#pausedAt) / 1000;
  }

  /** Writes go on at the source, unless the target was opened after all. */
  async #wayBack(error: Error): Promise<Moved> {
    const { options } = this;
    const reason = this.#gaveUp ? new MoveError(`the pause would have been longer than ${options.maxPause} s`) : error;
    if (this.#opening && (await this.#wasOpened(reason))) {
      await this.#clean();
      return { tables: [], followed: this.#followed };
    }
    try {
      await this.source.resume();
    } catch (problem) {
      throw new WritesPaused(`${reason.message}\nand writes cannot be let go on: ${(problem as Error).message}`);
    }
    const seconds = this.#pausedFor().toFixed(1);
    options.progress.tell({ wayBack: true }, `writes go on at the source, after a pause of ${seconds} s`);
    throw reason;
  }

  /** Asks the target itself, in a session that has to wait for the one that may be committing. */
  async #wasOpened(reason: Error): Promise<boolean> {
    this.target.abandon();
    try {
      const target = await Target.open(this.options.to);
      const step = await target.step();
      await target.close();
      return step === 'open';
    } catch (problem) {
      throw new WritesPaused(
        `${reason.message}\nand whether the target is open cannot be found out: ${(problem as Error).message}`,
      );
    }
  }
}
