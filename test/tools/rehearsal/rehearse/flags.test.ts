import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RehearseFlags, scenarioOf } from '../../../../tools/rehearsal/rehearse/flags';
import { UsageError } from '../../../../tools/support/usage-error';

/** Scenarios from flags and files. */
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
  throw new Error('the scenario was accepted');
}

test('without flags, a phase gets a steady load and its default topology', () => {
  expect(scenarioOf(3, {})).toMatchObject({
    phase: 3,
    servers: 5,
    load: { profile: 'steady', rps: 100, seconds: 30 },
    steps: [],
  });
  expect(scenarioOf(3, {}).timeScale).toBeUndefined();
  expect(scenarioOf(4, {})).toMatchObject({ servers: 2, timeScale: 30 });
});

test('actions of flags are spread over the duration, with time left after the last', () => {
  const { steps } = scenarioOf(3, { seconds: 60, kill: 1, killRedis: true, slow: { to: 'redis', delayMs: 50 } });
  expect(steps).toEqual([
    { at: 12, action: { kind: 'kill-servers', count: 1 } },
    { at: 24, action: { kind: 'kill-redis', seconds: 5 } },
    { at: 36, action: { kind: 'slow-network', to: 'redis', delayMs: 50, seconds: 5 } },
  ]);
});

test('--scale changes the desired capacity and restores it', () => {
  const { steps } = scenarioOf(3, { seconds: 60, scale: 10 });
  expect(steps.map(({ action }) => action)).toEqual([
    { kind: 'scale', servers: 10 },
    { kind: 'scale', servers: 5 },
  ]);
});

test('an evolution has one step per later phase', () => {
  const { phase, until, steps } = scenarioOf(1, { seconds: 100 }, 4);
  expect([phase, until]).toEqual([1, 4]);
  expect(steps).toEqual([20, 40, 60].map((at) => ({ at, action: { kind: 'next-phase' } })));
  expect(scenarioOf(1, {}).until).toBeUndefined();
  const scenario = fileOf({ steps: [{ at: 5, kind: 'next-phase' }] });
  expect(scenarioOf(2, { scenario }).until).toBe(3);
  expect(refusal(4, { scenario })).toBe('steps[0] next-phase must run in phase 1, 2 or 3, got phase 4.');
});

test('--overload means small servers, retries, and a limit of requests in flight unless load shedding is off', () => {
  const small = { vcpu: 0.1, reloads: 2, overload: true, load: { profile: 'spike', factor: 5, seconds: 60 } };
  expect(scenarioOf(3, { overload: 5 })).toMatchObject({ ...small, maxInFlight: 16 });
  const without = scenarioOf(3, { overload: 5, shedding: false });
  expect(without).toMatchObject({ ...small, shedding: false });
  expect(without.maxInFlight).toBeUndefined();
  expect(scenarioOf(3, { overload: 5, vcpu: 0.5, reloads: 0 })).toMatchObject({ vcpu: 0.5, reloads: 0 });
  expect(scenarioOf(3, { spike: 5 }).overload).toBeUndefined();
});

test('a flag or a file disables the server caches', () => {
  expect(scenarioOf(3, { cache: false }).cache).toBe(false);
  expect(scenarioOf(3, { cache: true, scenario: fileOf('cache: false') }).cache).toBe(false);
  expect(scenarioOf(3, { cache: true }).cache).toBeUndefined();
});

test('sessions in memory default to sticky balancing', () => {
  expect(scenarioOf(3, { sessions: 'memory' }).balance).toBe('sticky');
  expect(scenarioOf(3, { sessions: 'memory', balance: 'roundrobin' }).balance).toBe('roundrobin');
});

test('flags override the settings of the file, and its steps are added', () => {
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
  [1, { killAz: 1 }, '--kill-az 1 must run in phase 3 or 4, got phase 1.'],
  [1, { killDb: true }, '--kill-db must run in phase 2, 3 or 4, got phase 1.'],
  [3, { spot: 1 }, '--spot 1 must run in phase 4, got phase 3.'],
  [3, { killWorker: 1 }, '--kill-worker 1 must run in phase 4, got phase 3.'],
  [3, { kill: 6 }, '--kill 6 must affect at most 5 servers, got 6. Add servers with --servers.'],
  [2, { servers: 3 }, '--servers must be 1 in phase 2, got 3. Use phase 3 or later for more.'],
  [2, { balance: 'sticky' }, '--balance must be unset in phase 2, got sticky. Use phase 3 or later.'],
  [3, { killReplica: true, replicas: 0 }, '--replicas must be at least 1 for --kill-replica, got 0.'],
  [3, { lag: 5, replicas: 0 }, '--replicas must be at least 1 for --lag 5, got 0.'],
  [
    3,
    { slow: { to: 'replicas', delayMs: 9 }, replicas: 0 },
    '--replicas must be at least 1 for --slow replicas=9, got 0.',
  ],
  [2, { slow: { to: 'redis', delayMs: 9 } }, '--slow redis=9 must run in phase 3 or 4, got phase 2.'],
  [3, { timeScale: 10 }, '--time-scale must be unset in phase 3, got 10. Use phase 4 or later.'],
  [4, { spike: 10, rps: 1000 }, 'Peak rate of "spike" must be at most 5000 requests/s, got 10000. Lower --rps.'],
  [
    3,
    { rps: 5000, seconds: 900 },
    '--rps times --seconds must be at most 1000000 requests, got 4500000. Lower one of them.',
  ],
])('phase %i with %j is refused', (phase, flags, line) => {
  expect(refusal(phase, flags)).toBe(line);
});

test('a file with several problems is rejected with one line per problem', () => {
  const scenario = fileOf(`# with problems
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
  const messages = lines.map((line) => line.slice(scenario.length + 1));
  expect(messages).toEqual([
    '2: servers must be a whole number from 1 to 20, got 0.',
    expect.stringMatching(/^3: Setting must be one of servers, vcpu, .*, got speed\.$/),
    '4: balance must be one of roundrobin, leastconn, source, sticky, got "best".',
    expect.stringMatching(/^7: steps\[0\]\.kind must be one of kill-servers, stop-servers, .*, got "kill"\.$/),
    // A missing value is reported at the start of its step.
    '8: steps[1].delayMs must be a whole number from 1 to 5000, got none.',
    '8: steps[1].at must be a number from 0 to 900, got -1.',
    '10: steps[1].to must be one of database, replicas, redis, got "queue".',
  ]);
});

test('an action that the phase does not support is rejected by its step', () => {
  const scenario = fileOf({ steps: [{ at: 1, kind: 'spot-notice', count: 1 }] });
  expect(refusal(3, { scenario })).toBe('steps[0] spot-notice must run in phase 4, got phase 3.');
});

test('a step after the end of the traffic is rejected', () => {
  const scenario = fileOf({ seconds: 30, steps: [{ at: 30, kind: 'kill-servers', count: 1 }] });
  expect(refusal(3, { scenario })).toBe('at of steps[0] kill-servers must be less than the duration of 30 s, got 30.');
  expect(scenarioOf(3, { scenario, seconds: 31 }).steps).toHaveLength(1);
});

test('only a default rate may be lowered', () => {
  expect(scenarioOf(3, {}).rpsIsDefault).toBe(true);
  expect(scenarioOf(3, { rps: 100 }).rpsIsDefault).toBeUndefined();
  expect(scenarioOf(3, { scenario: fileOf('rps: 100') }).rpsIsDefault).toBeUndefined();
});

test('a file that is missing, invalid YAML, or not a map is rejected', () => {
  expect(refusal(3, { scenario: '/nowhere.json' })).toBe(
    '--scenario must be a readable file, got /nowhere.json (ENOENT).',
  );
  expect(refusal(3, { scenario: fileOf('rps: 3\nservers: [3') })).toMatch(
    /scenario\.json:2: file must be valid YAML: [^\n]+\.$/,
  );
  expect(refusal(3, { scenario: fileOf([]) })).toMatch(
    /^--scenario must be a file with a map of settings and steps, got .*scenario\.json\.$/,
  );
});
