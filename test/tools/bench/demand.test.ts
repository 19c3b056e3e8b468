import { measureDemand } from '../../../tools/bench/demand';
import { WORK } from '../../../tools/planner/plan/demand';

/** The counters are those that Linux keeps; a third of a second of load each is enough to see that they are read. */
const onLinux = process.platform === 'linux' ? test : test.skip;

onLinux('each kind of request costs CPU time of the server, and all but cached ones of the database', async () => {
  const said: string[] = [];
  const { server, database, processMib, machine } = await measureDemand(0.3, (line) => said.push(line));
  expect(said.map((line) => line.split(':')[0])).toEqual([...WORK]);
  for (const work of WORK) {
    expect(server[work]).toBeGreaterThan(0);
    // Milliseconds: nothing that the shop does takes a second.
    expect(server[work] + database[work]).toBeLessThan(1000);
  }
  // The clocks tick every 10 ms, which is a lot for so short a load: together they must be seen.
  expect(database.miss + database.session + database.write).toBeGreaterThan(database.catalogue);
  // More than Node alone, and less than a heap that grows without end.
  expect(processMib).toBeGreaterThan(40);
  expect(processMib).toBeLessThan(1024);
  expect(machine).toMatch(/, Node \d+\./);
});
