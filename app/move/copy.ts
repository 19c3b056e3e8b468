import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import type { DatabaseClient } from '../data/db';

/** End of a row in the text format of COPY, which escapes line breaks in values. */
const END_OF_ROW = 0x0a;

/**
 * Streams `COPY … TO STDOUT` of one server into `COPY … FROM STDIN` of another, in text format and with backpressure.
 * After an error the caller must close both sessions, because the source may still be sending.
 *
 * @param onChunk receives the number of rows and bytes of each chunk
 */
export async function streamCopy(
  from: { readonly session: DatabaseClient; readonly sql: string },
  to: { readonly session: DatabaseClient; readonly sql: string },
  onChunk: (rows: number, bytes: number) => void,
): Promise<void> {
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      onChunk(countRows(chunk), chunk.length);
      done(null, chunk);
    },
  });
  await pipeline(from.session.query(copyTo(from.sql)), counter, to.session.query(copyFrom(to.sql)));
}

function countRows(chunk: Buffer): number {
  let rows = 0;
  for (let at = chunk.indexOf(END_OF_ROW); at >= 0; at = chunk.indexOf(END_OF_ROW, at + 1)) rows += 1;
  return rows;
}
