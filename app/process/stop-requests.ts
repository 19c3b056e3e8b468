/** A terminal sends its signal to every process, and a parent may send one more: these count as one. In milliseconds. */
const SAME_REQUEST = 500;

/**
 * Calls `stop` once when this process is asked to end: by SIGTERM or SIGINT, or because the parent that holds an IPC channel
 * to it has died. Exits when `stop` is done. Somebody who asks again is not kept waiting.
 */
export function onStopRequest(stop: () => Promise<void>): void {
  let askedAt: number | undefined;
  const ask = () => {
    if (askedAt === undefined) {
      askedAt = Date.now();
      stop().then(
        () => process.exit(0),
        (error) => {
          console.error(error);
          process.exit(1);
        },
      );
    } else if (Date.now() - askedAt > SAME_REQUEST) {
      process.exit(1);
    }
  };
  process.on('SIGTERM', ask);
  process.on('SIGINT', ask);
  process.once('disconnect', ask);
}
