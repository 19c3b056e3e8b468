import type { Connection, DatabaseClient, Submittable } from '../data/db';

/** What node-postgres's connections can do besides what their types say. */
interface CopyConnection extends Connection {
  query(sql: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
}

/** Rows go on in pieces of this many bytes: a message for each would cost more than its content. */
const PIECE = 64 * 1024;

/**
 * Streams a `COPY … TO STDOUT` of one server into a `COPY … FROM STDIN` of another, no faster than that takes it.
 *
 * @param onPiece hears how many rows and bytes went by
 */
export async function streamCopy(
  from: { readonly session: DatabaseClient; readonly sql: string },
  to: { readonly session: DatabaseClient; readonly sql: string },
  onPiece: (rows: number, bytes: number) => void,
): Promise<void> {
  const copyIn = new CopyIn(to.sql);
  to.session.query(copyIn);
  await Promise.race([copyIn.accepts, copyIn.ended]);
  const copyOut = new CopyOut(from.sql, (piece, rows, source) => {
    onPiece(rows, piece.length);
    const target = copyIn.send(piece);
    if (!target.stream.writableNeedDrain) return;
    source.stream.pause();
    target.stream.once('drain', () => source.stream.resume());
  });
  from.session.query(copyOut);
  // When either side fails, its sessions are of no more use: the other would wait for ever.
  await Promise.race([copyOut.ended, copyIn.ended]);
  copyIn.finish();
  await copyIn.ended;
}

/** The part of node-postgres's own `Query` that it calls in the course of a COPY. */
abstract class Copy implements Submittable {
  /** Settles when the server has. */
  readonly ended: Promise<void>;
  callback = () => {};
  #end: () => void = () => {};
  #fail: (error: Error) => void = () => {};
  #failed = false;
  protected connection: CopyConnection | undefined;

  constructor(private readonly sql: string) {
    this.ended = new Promise((resolve, reject) => {
      this.#end = resolve;
      this.#fail = reject;
    });
    // It is awaited, but maybe not yet when it fails.
    this.ended.catch(() => {});
  }

  submit(connection: Connection): void {
    this.connection = connection as CopyConnection;
    this.connection.query(this.sql);
  }

  handleCommandComplete(): void {}

  handleError(error: Error): void {
    this.#failed = true;
    this.#fail(error);
  }

  handleReadyForQuery(): void {
    if (!this.#failed) this.#end();
  }
}

class CopyIn extends Copy {
  readonly accepts: Promise<void>;
  #accept: () => void = () => {};

  constructor(sql: string) {
    super(sql);
    this.accepts = new Promise((resolve) => {
      this.#accept = resolve;
    });
  }

  handleCopyInResponse(): void {
    this.#accept();
  }

  send(piece: Buffer): CopyConnection {
    const connection = this.connection as CopyConnection;
    connection.sendCopyFromChunk(piece);
    return connection;
  }

  finish(): void {
    this.connection?.endCopyFrom();
  }
}

class CopyOut extends Copy {
  #rows: Buffer[] = [];
  #bytes = 0;

  constructor(
    sql: string,
    private readonly onPiece: (piece: Buffer, rows: number, source: CopyConnection) => void,
  ) {
    super(sql);
  }

  /** PostgreSQL sends a message for each row. Its bytes are the parser's, which uses them again. */
  handleCopyData({ chunk }: { readonly chunk: Buffer }): void {
    this.#rows.push(Buffer.from(chunk));
    this.#bytes += chunk.length;
    if (this.#bytes >= PIECE) this.#flush();
  }

  override handleCommandComplete(): void {
    if (this.#bytes > 0) this.#flush();
  }

  #flush(): void {
    this.onPiece(Buffer.concat(this.#rows), this.#rows.length, this.connection as CopyConnection);
    this.#rows = [];
    this.#bytes = 0;
  }
}
