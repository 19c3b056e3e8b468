import { measureDemand } from '../../../tools/bench/demand';
import { WORK } from '../../../tools/planner/plan/demand';

/** The CPU counters are in Linux's /proc. */
const onLinux = process.platform === 'linux' ? test : test.skip;

onLinux('each request type uses CPU time of the server, and uncached ones of the database', async () => {
  const lines: string[] = [];
  const { server, database, processMib, machine } = await measureDemand(0.3, (line) => lines.push(line));
  expect(lines.map((line) => line.split(':')[0])).toEqual([...WORK]);
  for (const work of WORK) {
    expect(server[work]).toBeGreaterThan(0);
    // In milliseconds: no request takes a second.
    expect(server[work] + database[work]).toBeLessThan(1000);
  }
  // The clocks tick every 10 ms, too coarse for one type in so short a test, but not for the sum.
  expect(database.miss + database.session + database.write).toBeGreaterThan(database.catalogue);
  // More than Node alone, less than a memory leak.
  expect(processMib).toBeGreaterThan(40);
  expect(processMib).toBeLessThan(1024);
  expect(machine).toMatch(/, Node \d+\./);
});
