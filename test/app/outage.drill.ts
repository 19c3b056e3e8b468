import { outage } from '../../tools/bench/outage';

/** The database away for a while, under traffic; `npm run bench -- outage` lets it be away for a minute. */
test('every process outlives the database, and the first checkout after its return succeeds', async () => {
  const seen = await outage(6);
  expect(seen).toMatchObject({
    health: ['200'],
    // Pages and API, from memory.
    catalogue: ['200'],
    checkout: ['503, Retry-After 1'],
    firstCheckouts: ['201'],
    sameProcesses: true,
  });
  // Refused at once, and not after waiting for a connection.
  expect(seen.slowestMs).toBeLessThan(1_000);
});
