import { runAutocannon } from '../../../tools/bench/load';
import { startFailingServer } from '../../support/failing-server';

let server: Awaited<ReturnType<typeof startFailingServer>>;
let requests = 0;

beforeAll(async () => {
  server = await startFailingServer(() => {
    requests += 1;
  });
});

afterAll(() => server?.stop());

test('autocannon: returns the rate of successful responses and the share of failed requests', async () => {
  const load = { connections: 4, seconds: 1 };
  expect((await runAutocannon({ url: server.url, ...load })).failedShare).toBe(0);
  const before = requests;
  const { rps, failedShare } = await runAutocannon({ url: `${server.url}/limited`, ...load });
  expect(failedShare).toBeCloseTo(0.5, 1);
  expect(rps).toBeGreaterThan(0);
  expect(rps).toBeLessThan(0.6 * (requests - before));
});

test.each([
  ['every request fails', () => `${server.url}/down`],
  ['no server listens', () => 'http://127.0.0.1:1/'],
])('autocannon: throws when %s', async (_case, url) => {
  await expect(runAutocannon({ url: url(), connections: 4, seconds: 1 })).rejects.toThrow(
    /: no request succeeded\. autocannon printed:\n\{/,
  );
});
