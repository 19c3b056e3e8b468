import { runH2load } from '../../../tools/bench/h2load';
import { startFailingServer } from '../../support/failing-server';
import { describeWith } from '../../support/needs';

describeWith('h2load', 'runH2load', () => {
  let server: Awaited<ReturnType<typeof startFailingServer>>;
  const seen = { requests: 0, cookies: new Set<string | undefined>() };

  beforeAll(async () => {
    server = await startFailingServer((request) => {
      seen.requests += 1;
      seen.cookies.add(request.headers.cookie);
    });
  });

  afterAll(() => server?.stop());

  test('returns the rate of successful responses, without the warm-up', async () => {
    const { rps, failedShare } = await runH2load({
      url: server.url,
      cookie: 'sid=1',
      connections: 4,
      seconds: 1,
      warmUp: 1,
    });
    expect([...seen.cookies]).toEqual(['sid=1']);
    // About half of the requests: one of two seconds.
    expect(rps).toBeGreaterThan(0);
    expect(rps).toBeLessThan(0.9 * seen.requests);
    expect(failedShare).toBe(0);
  });

  test('returns the share of failed requests, and leaves them out of the rate', async () => {
    const before = seen.requests;
    const { rps, failedShare } = await runH2load({ url: `${server.url}/limited`, connections: 4, seconds: 1 });
    expect(failedShare).toBeCloseTo(0.5, 1);
    expect(rps).toBeLessThan(0.6 * (seen.requests - before));
  });

  test.each([
    ['every request fails', () => `${server.url}/down`],
    ['no server listens', () => 'http://127.0.0.1:1/'],
  ])('throws when %s', async (_case, url) => {
    await expect(runH2load({ url: url(), connections: 4, seconds: 1 })).rejects.toThrow(
      /: no request succeeded\. h2load printed:\nfinished in/,
    );
  });
});
