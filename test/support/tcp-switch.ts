import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';

/** A TCP port that leads to a server, and later to another, as the DNS name of a primary does in a failover. */
export interface TcpSwitch {
  readonly port: number;
  /** New connections go there; those that are open stay where they are. */
  leadTo(port: number): void;
  close(): void;
}

export async function openTcpSwitch(target: number): Promise<TcpSwitch> {
  let current = target;
  const server = createServer((inner) => {
    const outer = connect(current, '127.0.0.1');
    inner.pipe(outer).pipe(inner);
    for (const [one, other] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    leadTo: (port) => {
      current = port;
    },
    close: () => server.close(),
  };
}
