import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client } from '../../../../tools/rehearsal/traffic/client';
import { Shopper } from '../../../../tools/rehearsal/traffic/shopper';
import { visitorAddresses } from '../../../../tools/rehearsal/traffic/traffic';

/** A visitor's request, and what it is taken for. */
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

test('visitors come from the addresses that they are given', async () => {
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

test('an answer that is cut off is told as that', async () => {
  const client = await shop((request) => request.socket.destroy());
  expect(await client.send(new Shopper('127.0.0.1'), cart)).toMatchObject({ outcome: 'failed', failure: 'cut off' });
});

test('whom a sticky balancer sends to another server than before was moved', () => {
  const shopper = new Shopper('127.0.0.1');
  shopper.keepCookies(['AWSALB=one; path=/']);
  shopper.keepCookies(['AWSALB=one; path=/', 'sid=2']);
  expect(shopper.moved).toBe(false);
  shopper.keepCookies(['AWSALB=two; path=/']);
  expect(shopper.moved).toBe(true);
});
