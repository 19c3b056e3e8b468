import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * The name under which servers know a dependency: a TCP port that leads to it, and later to another, as the DNS name of a
 * database does in a failover. It can be made slow, as a network is.
 */
export interface Endpoint {
  readonly port: number;
  /** New connections go there; those that are open stay where they are. */
  pointTo(port: number): void;
  /** Milliseconds that everything takes longer from now on, each way. */
  delay(ms: number): void;
  /** Cuts all connections, and accepts no more. */
  close(): void;
}

/** @param port on loopback; a free one when 0 */
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
      // What was on its way is lost, as when a machine goes.
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

/** Each chunk waits for itself, and none overtakes another: timers would, as they count in whole milliseconds. */
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
