import { type Logger, type LoggerOptions, pino } from 'pino';

/** Bytes that are written at once. Less than the maximum of pino's destination, 16 KiB. */
const BUFFER = 8_192;

/** Returns a logger to stdout that writes the lines of an event-loop iteration with one system call. */
export function openLog(options: LoggerOptions): Logger {
  const stdout = pino.destination({ sync: true, minLength: BUFFER });
  let isScheduled = false;
  process.on('exit', () => stdout.flushSync());
  return pino(options, {
    write(line: string) {
      stdout.write(line);
      if (isScheduled) return;
      isScheduled = true;
      setImmediate(() => {
        isScheduled = false;
        // Unlike flushSync(), without fsync.
        stdout.flush();
      });
    },
    // Called after a fatal line.
    flushSync: () => stdout.flushSync(),
  } as never);
}
