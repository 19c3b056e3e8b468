import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * A TCP proxy with a fixed port and a changeable target, as a stand-in for a database's DNS name in a failover. Can add latency.
 */
export interface Endpoint {
  readonly port: number;
  /** Changes the target for new connections. Open connections keep theirs. */
  pointTo(port: number): void;
  /** Sets the added latency in milliseconds, each way. */
  delay(ms: number): void;
  /** Destroys all connections and stops listening. */
  close(): void;
}

/**
 * Opens a proxy to `target`, both on loopback.
 *
 * @param port TCP port to listen on; a free one when 0
 */
export async function openEndpoint(target: number, port = 0): Promise<Endpoint> {
  let current = target;
  let delay = 0;
  const open = new Set<Socket>();
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (inner) => {
    const outer = connect({ port: current, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    pipeDelayed(inner, outer, () => delay);
    pipeDelayed(outer, inner, () => delay);
    for (const [one, other] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      open.add(one);
      // Data in flight is lost, as when a machine fails.
      one.on('error', () => other.destroy());
      one.on('close', () => open.delete(one));
    }
  });
  await once(server.listen(port, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    pointTo: (port) => {
      current = port;
    },
    delay: (ms) => {
      delay = ms;
    },
    close: () => {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

/** Delays each chunk and keeps their order. A timer per chunk would not, because timers have millisecond resolution. */
function pipeDelayed(from: Socket, to: Socket, delay: () => number): void {
  const waiting: { readonly due: number; readonly what: () => void }[] = [];
  let timer: NodeJS.Timeout | undefined;
  const move = () => {
    while (waiting[0] && waiting[0].due <= performance.now()) waiting.shift()?.what();
    const [next] = waiting;
    timer = next && setTimeout(move, Math.ceil(next.due - performance.now()));
  };
  const later = (what: () => void) => {
    waiting.push({ due: Math.max(waiting.at(-1)?.due ?? 0, performance.now() + delay()), what });
    if (timer === undefined) move();
  };
  from.on('data', (chunk) => {
    later(() => {
      if (!to.write(chunk)) from.pause();
    });
  });
  to.on('drain', () => from.resume());
  from.on('end', () => later(() => to.end()));
}
