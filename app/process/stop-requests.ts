/** Milliseconds in which signals count as one: a terminal signals every process, and the parent may signal again. */
const DEBOUNCE = 500;

/**
 * Calls `stop` once on SIGTERM, on SIGINT, or when the parent's IPC channel closes, and exits when `stop` resolves. A second
 * signal exits immediately with code 1.
 */
export function onStopRequest(stop: () => Promise<void>): void {
  let requestedAt: number | undefined;
  const onRequest = () => {
    if (requestedAt === undefined) {
      requestedAt = Date.now();
      stop().then(
        () => process.exit(0),
        (error) => {
          console.error(error);
          process.exit(1);
        },
      );
    } else if (Date.now() - requestedAt > DEBOUNCE) {
      process.exit(1);
    }
  };
  process.on('SIGTERM', onRequest);
  process.on('SIGINT', onRequest);
  process.once('disconnect', onRequest);
}
