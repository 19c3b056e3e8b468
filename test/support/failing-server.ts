import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Starts a server on loopback that answers every second request to `/limited`, and each to `/down`, with 503. */
export async function startFailingServer(onRequest: (request: IncomingMessage) => void = () => {}) {
  let limited = 0;
  const server = createServer((request, response) => {
    onRequest(request);
    if (request.url === '/limited') limited += 1;
    const failed = request.url === '/down' || (request.url === '/limited' && limited % 2 === 0);
    response.statusCode = failed ? 503 : 200;
    response.end('ok');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
