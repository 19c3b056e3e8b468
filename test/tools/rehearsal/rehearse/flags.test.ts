import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RehearseFlags, scenarioOf } from '../../../../tools/rehearsal/rehearse/flags';
import { UsageError } from '../../../../tools/support/usage-error';

/** From flags and files to a scenario. */
const dir = mkdtempSync(join(tmpdir(), 'scenario-test-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function fileOf(content: unknown): string {
  const file = join(dir, 'scenario.json');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

function refusal(phase: 1 | 2 | 3 | 4, flags: RehearseFlags): string {
  try {
    scenarioOf(phase, flags);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as Error).message;
  }
  throw new Error('it was accepted');
}

test('a phase alone is a steady load on what the phase has', () => {
  expect(scenarioOf(3, {})).toMatchObject({
    phase: 3,
    servers: 5,
    load: { profile: 'steady', rps: 100, seconds: 30 },
    steps: [],
  });
  expect(scenarioOf(3, {}).timeScale).toBeUndefined();
  expect(scenarioOf(4, {})).toMatchObject({ servers: 2, timeScale: 30 });
});

test('what flags ask for happens one after the other, with time left after the last', () => {
  const { steps } = scenarioOf(3, { seconds: 60, kill: 1, killRedis: true, slow: { to: 'redis', delayMs: 50 } });
  expect(steps).toEqual([
    { at: 12, action: { kind: 'kill-servers', count: 1 } },
    { at: 24, action: { kind: 'kill-redis', seconds: 5 } },
    { at: 36, action: { kind: 'slow-network', to: 'redis', delayMs: 50, seconds: 5 } },
  ]);
});

test('more servers come and go again', () => {
  const { steps } = scenarioOf(3, { seconds: 60, scale: 10 });
  expect(steps.map(({ action }) => action)).toEqual([
    { kind: 'scale', servers: 10 },
    { kind: 'scale', servers: 5 },
  ]);
});

test('from phase to phase: one step after the other, on one running system', () => {
  const { phase, until, steps } = scenarioOf(1, { seconds: 100 }, 4);
  expect([phase, until]).toEqual([1, 4]);
  expect(steps).toEqual([20, 40, 60].map((at) => ({ at, action: { kind: 'next-phase' } })));
  expect(scenarioOf(1, {}).until).toBeUndefined();
  const scenario = fileOf({ steps: [{ at: 5, kind: 'next-phase' }] });
  expect(scenarioOf(2, { scenario }).until).toBe(3);
  expect(refusal(4, { scenario })).toBe('steps[0]: next-phase: only in phase 1, 2 or 3, this is phase 4');
});

test('an overload is small servers, visitors who reload, and a balancer with a bound, unless nothing is to be refused', () => {
  const small = { vcpu: 0.1, reloads: 2, overload: true, load: { profile: 'spike', factor: 5, seconds: 60 } };
  expect(scenarioOf(3, { overload: 5 })).toMatchObject({ ...small, maxInFlight: 16 });
  const without = scenarioOf(3, { overload: 5, shedding: false });
  expect(without).toMatchObject({ ...small, shedding: false });
  expect(without.maxInFlight).toBeUndefined();
  expect(scenarioOf(3, { overload: 5, vcpu: 0.5, reloads: 0 })).toMatchObject({ vcpu: 0.5, reloads: 0 });
  expect(scenarioOf(3, { spike: 5 }).overload).toBeUndefined();
});

test('the caches of servers are switched off by flag or file', () => {
  expect(scenarioOf(3, { cache: false }).cache).toBe(false);
  expect(scenarioOf(3, { cache: true, scenario: fileOf('cache: false') }).cache).toBe(false);
  expect(scenarioOf(3, { cache: true }).cache).toBeUndefined();
});

test('sessions in memory want visitors to stay on their server, unless something else is asked for', () => {
  expect(scenarioOf(3, { sessions: 'memory' }).balance).toBe('sticky');
  expect(scenarioOf(3, { sessions: 'memory', balance: 'roundrobin' }).balance).toBe('roundrobin');
});

test('flags come before the file, and its steps come as well', () => {
  const scenario = fileOf({
    servers: 4,
    rps: 50,
    profile: 'ramp',
    steps: [{ at: 9, kind: 'kill-servers', count: 2 }],
  });
  expect(scenarioOf(3, { scenario, rps: 70, seconds: 30, killDb: true })).toMatchObject({
    servers: 4,
    load: { rps: 70, profile: 'ramp' },
    steps: [
      { at: 9, action: { kind: 'kill-servers', count: 2 } },
      { at: 10, action: { kind: 'kill-database', seconds: 5 } },
    ],
  });
});

test.each<[1 | 2 | 3 | 4, RehearseFlags, string]>([
  [1, { killAz: 1 }, '--kill-az 1: only in phase 3 or 4, this is phase 1'],
  [1, { killDb: true }, '--kill-db: only in phase 2, 3 or 4, this is phase 1'],
  [3, { spot: 1 }, '--spot 1: only in phase 4, this is phase 3'],
  [3, { killWorker: 1 }, '--kill-worker 1: only in phase 4, this is phase 3'],
  [3, { kill: 6 }, '--kill 6: at most 5, as many as there are servers'],
  [2, { servers: 3 }, '--servers 3: phase 2 has 1; more from phase 3 on'],
  [2, { balance: 'sticky' }, '--balance sticky: only from phase 3 on, this is phase 2'],
  [3, { killReplica: true, replicas: 0 }, '--kill-replica: --replicas must be at least 1, got 0'],
  [3, { lag: 5, replicas: 0 }, '--lag 5: --replicas must be at least 1, got 0'],
  [3, { slow: { to: 'replicas', delayMs: 9 }, replicas: 0 }, '--slow replicas=9: --replicas must be at least 1, got 0'],
  [2, { slow: { to: 'redis', delayMs: 9 } }, '--slow redis=9: only in phase 3 or 4, this is phase 2'],
  [3, { timeScale: 10 }, '--time-scale 10: only from phase 4 on, this is phase 3'],
  [4, { spike: 10, rps: 1000 }, '--rps 1000: at the top of "spike" 10000 requests/s; at most 5000 are allowed'],
  [3, { rps: 5000, seconds: 900 }, '--rps 5000 for --seconds 900: 4500000 requests; at most 1000000 are allowed'],
])('phase %i with %j is refused', (phase, flags, line) => {
  expect(refusal(phase, flags)).toBe(line);
});

test('a file is told all that is wrong with it, a line each', () => {
  const scenario = fileOf(`# what is wrong here
servers: 0
speed: 1
balance: best
steps:
  - at: 3
    kind: kill
  - at: -1
    kind: slow-network
    to: queue
    seconds: 3
`);
  const lines = refusal(3, { scenario }).split('\n');
  expect(lines.every((line) => line.startsWith(`${scenario}:`))).toBe(true);
  const said = lines.map((line) => line.slice(scenario.length + 1));
  expect(said).toEqual([
    '2: servers=0: must be a whole number from 1 to 20',
    expect.stringMatching(/^3: speed: not known; known: servers, vcpu, /),
    '4: balance="best": must be one of roundrobin, leastconn, source, sticky',
    expect.stringMatching(/^7: steps\[0\].kind="kill": must be one of kill-servers, stop-servers, /),
    // What is missing is missed where its step begins.
    '8: steps[1].delayMs: must be a whole number from 1 to 5000',
    '8: steps[1].at=-1: must be a number from 0 to 900',
    '10: steps[1].to="queue": must be one of database, replicas, redis',
  ]);
});

test('what a file asks of a phase that does not have it is refused by its step', () => {
  const scenario = fileOf({ steps: [{ at: 1, kind: 'spot-notice', count: 1 }] });
  expect(refusal(3, { scenario })).toBe('steps[0]: spot-notice: only in phase 4, this is phase 3');
});

test('a step after the traffic would never happen', () => {
  const scenario = fileOf({ seconds: 30, steps: [{ at: 30, kind: 'kill-servers', count: 1 }] });
  expect(refusal(3, { scenario })).toBe("steps[0]: kill-servers: at must be less than the traffic's 30 s, got 30");
  expect(scenarioOf(3, { scenario, seconds: 31 }).steps).toHaveLength(1);
});

test('only a rate that nothing gives may be lowered', () => {
  expect(scenarioOf(3, {}).rpsIsDefault).toBe(true);
  expect(scenarioOf(3, { rps: 100 }).rpsIsDefault).toBeUndefined();
  expect(scenarioOf(3, { scenario: fileOf('rps: 100') }).rpsIsDefault).toBeUndefined();
});

test('a file that is not there, is no YAML, or is no map is refused', () => {
  expect(refusal(3, { scenario: '/nowhere.json' })).toBe('--scenario /nowhere.json: cannot be read (ENOENT)');
  expect(refusal(3, { scenario: fileOf('rps: 3\nservers: [3') })).toMatch(/scenario\.json:2: is no YAML: [^\n]+$/);
  expect(refusal(3, { scenario: fileOf([]) })).toMatch(/scenario\.json: must be a map of settings, and steps$/);
});
