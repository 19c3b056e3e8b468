import { measureDemand } from '../../lib/bench/demand';
import { WORK } from '../../lib/demand';

/** The counters are those that Linux keeps; half a second of load each is enough to see that they are read. */
const onLinux = process.platform === 'linux' ? test : test.skip;

onLinux('each kind of request costs CPU time of the server, and all but cached ones of the database', async () => {
  const said: string[] = [];
  const { server, database, processMib, machine } = await measureDemand(0.5, (line) => said.push(line));
  expect(said.map((line) => line.split(':')[0])).toEqual([...WORK]);
  for (const work of WORK) {
    expect(server[work]).toBeGreaterThan(0);
    // Milliseconds: nothing that the shop does takes a second.
    expect(server[work] + database[work]).toBeLessThan(1000);
  }
  for (const work of ['miss', 'session', 'write'] as const) expect(database[work]).toBeGreaterThan(database.catalogue);
  // More than Node alone, and less than a heap that grows without end.
  expect(processMib).toBeGreaterThan(40);
  expect(processMib).toBeLessThan(1024);
  expect(machine).toMatch(/, Node \d+\./);
});
