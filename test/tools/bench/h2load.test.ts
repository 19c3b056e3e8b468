import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { runH2load } from '../../../tools/bench/h2load';
import { describeWith } from '../../support/needs';

describeWith('h2load', 'a load that costs little', () => {
  let server: Server;
  let url: string;
  const seen = { requests: 0, cookies: new Set<string | undefined>() };

  beforeAll(async () => {
    server = createServer((request, response) => {
      seen.requests += 1;
      seen.cookies.add(request.headers.cookie);
      // The hundredth asks for too much.
      if (request.url === '/limited' && seen.requests % 100 === 0) response.statusCode = 503;
      response.end('ok');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  test('is the rate of what was answered, without the lead-in', async () => {
    const rps = await runH2load({ url, cookie: 'sid=1', connections: 4, seconds: 1, warmUp: 1 });
    expect([...seen.cookies]).toEqual(['sid=1']);
    // Of two seconds at about one rate, half.
    expect(rps).toBeGreaterThan(0);
    expect(rps).toBeLessThan(0.9 * seen.requests);
  });

  test.each([
    ['an answer is no success', () => `${url}/limited`],
    ['nobody answers', () => 'http://127.0.0.1:1/'],
  ])('is refused when %s', async (_what, target) => {
    await expect(runH2load({ url: target(), connections: 4, seconds: 1 })).rejects.toThrow(
      /not all requests were answered 2xx; h2load says:\nfinished in/,
    );
  });
});
