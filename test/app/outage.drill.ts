import { outage } from '../../tools/bench/outage';

/** A short database outage under traffic. `npm run bench -- outage` runs one of a minute. */
test('every process survives a database outage, and the first checkout after recovery succeeds', async () => {
  const seen = await outage(6);
  expect(seen).toMatchObject({
    health: ['200'],
    // Pages and API from the cache.
    catalogue: ['200'],
    checkout: ['503, Retry-After 1'],
    firstCheckouts: ['201'],
    sameProcesses: true,
  });
  // Rejected immediately, without waiting for a connection.
  expect(seen.slowestMs).toBeLessThan(1_000);
});
