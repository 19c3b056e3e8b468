import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { runH2load } from '../../../tools/bench/h2load';
import { describeWith } from '../../support/needs';

describeWith('h2load', 'runH2load', () => {
  let server: Server;
  let url: string;
  const seen = { requests: 0, cookies: new Set<string | undefined>() };

  beforeAll(async () => {
    server = createServer((request, response) => {
      seen.requests += 1;
      seen.cookies.add(request.headers.cookie);
      // Every hundredth request fails.
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

  test('returns the rate of successful responses, without the warm-up', async () => {
    const rps = await runH2load({ url, cookie: 'sid=1', connections: 4, seconds: 1, warmUp: 1 });
    expect([...seen.cookies]).toEqual(['sid=1']);
    // About half of the requests: one of two seconds.
    expect(rps).toBeGreaterThan(0);
    expect(rps).toBeLessThan(0.9 * seen.requests);
  });

  test.each([
    ['a response is not 2xx', () => `${url}/limited`],
    ['no server listens', () => 'http://127.0.0.1:1/'],
  ])('throws when %s', async (_case, target) => {
    await expect(runH2load({ url: target(), connections: 4, seconds: 1 })).rejects.toThrow(
      /: requests failed\. h2load printed:\nfinished in/,
    );
  });
});
