import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client } from '../../../../tools/rehearsal/traffic/client';
import { Shopper } from '../../../../tools/rehearsal/traffic/shopper';
import { visitorAddresses } from '../../../../tools/rehearsal/traffic/traffic';

/** Requests of visitors and their outcomes. */
const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function shop(listener: RequestListener): Promise<Client> {
  const server = createServer(listener);
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return new Client(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

const cart = { kind: 'cart', method: 'GET', path: '/api/cart' } as const;

test('requests use the source address of their visitor', async () => {
  const client = await shop((request, response) => response.end(request.socket.remoteAddress));
  for (const address of visitorAddresses().slice(0, 3)) {
    expect((await client.send(new Shopper(address), cart)).text).toBe(address);
  }
});

test.each([
  [503, { 'retry-after': '1' }, '{"error":{"code":"overloaded"}}', 'refused', '503 overloaded'],
  [503, { 'retry-after': '1' }, '<html>', 'refused', '503 refused'],
  [503, {}, '<html>', 'failed', '503'],
  [404, {}, '{"error":{"code":"not_found"}}', 'wrong', '404 not_found'],
] as const)('%i with %j and %s is %s: %s', async (status, headers, text, outcome, failure) => {
  const client = await shop((_request, response) => response.writeHead(status, headers).end(text));
  expect(await client.send(new Shopper('127.0.0.1'), cart)).toMatchObject({ outcome, failure });
});

test('a reset connection is a failure', async () => {
  const client = await shop((request) => request.socket.destroy());
  expect(await client.send(new Shopper('127.0.0.1'), cart)).toMatchObject({
    outcome: 'failed',
    failure: 'connection reset',
  });
});

test('a visitor whom a sticky balancer sends to another server counts as moved', () => {
  const shopper = new Shopper('127.0.0.1');
  shopper.storeCookies(['AWSALB=one; path=/']);
  shopper.storeCookies(['AWSALB=one; path=/', 'sid=2']);
  expect(shopper.moved).toBe(false);
  shopper.storeCookies(['AWSALB=two; path=/']);
  expect(shopper.moved).toBe(true);
});
