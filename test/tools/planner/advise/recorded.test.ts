import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AdviseOptions, adviseCommand } from '../../../../tools/planner/commands/advise-command';
import { UsageError } from '../../../../tools/support/usage-error';

const dir = mkdtempSync(join(tmpdir(), 'advise-'));
const file = join(dir, 'metrics.csv');
const printed = jest.spyOn(console, 'log').mockImplementation();

afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
  printed.mockRestore();
});

async function ask(lines: readonly string[], more: Partial<AdviseOptions> = {}) {
  writeFileSync(file, ['time,metric,value', ...lines].join('\n'));
  printed.mockClear();
  await adviseCommand({ stack: 'shop', days: 14, period: 300, phase: 3, from: file, json: true, ...more });
  return JSON.parse(printed.mock.calls.join('\n'));
}

/** One value at noon on each of ten days. */
const noons = (metric: string, value: (day: number) => number) =>
  Array.from({ length: 10 }, (_, day) => `2026-03-${String(day + 1).padStart(2, '0')}T12:00Z,${metric},${value(day)}`);

test('finds the limit in recorded metrics', async () => {
  const advice = await ask([...noons('servers.cpu', (day) => 40 + 3 * day), ...noons('database.cpu', () => 20)]);
  expect(advice).toMatchObject({
    verdict: 'prepare',
    wall: { wall: 'servers.cpu', remedy: { phase: 4 }, fullOn: { expected: '2026-03-16' } },
    window: { start: '2026-03-01T12:00:00.000Z', end: '2026-03-11T12:00:00.000Z', period: 86400 },
  });
  expect(advice.unknown).toContain('memory of the servers (servers): no data');
});

test('accepts lines in any order', async () => {
  const lines = noons('servers.cpu', (day) => 40 + 3 * day);
  expect(await ask([...lines].reverse())).toEqual(await ask(lines));
});

test('a falling load reaches no limit, falling free memory does', async () => {
  expect(await ask(noons('servers.cpu', (day) => 70 - 3 * day))).toMatchObject({ verdict: 'stay', wall: null });
  const free = noons('database.memory', (day) => (5 - 0.2 * day) * 1024 ** 3);
  expect(await ask(free, { databaseClass: 'db.m7g.large' })).toMatchObject({
    verdict: 'prepare',
    // 8 GiB of RAM, limit a quarter of it; 3.2 GiB are free on the last day, 0.2 less each day.
    wall: {
      wall: 'database.memory',
      full: { side: 'below', value: 2 * 1024 ** 3 },
      fullOn: { expected: '2026-03-17' },
    },
  });
});

test('distinguishes several resources by name', async () => {
  const advice = await ask([...noons('replicas.cpu@one', () => 20), ...noons('replicas.cpu@two', () => 95)]);
  expect(advice).toMatchObject({ verdict: 'act', wall: { wall: 'replicas.cpu', resource: 'two' } });
});

test('takes a limit from the file, or from the size of the machine', async () => {
  const size = [...noons('servers.size', () => 12), ...noons('servers.size.limit', () => 12)];
  expect(await ask(size, { phase: 4 })).toMatchObject({ verdict: 'act', wall: { wall: 'servers.size' } });
  const connections = noons('database.connections', () => 850);
  expect((await ask(connections)).unknown).toContain('connections of the database (database): limit unknown');
  // 8 GiB / 9531392 is 901, and 90% of it is 810.
  expect(await ask(connections, { databaseClass: 'db.m7g.large' })).toMatchObject({
    verdict: 'act',
    wall: { wall: 'database.connections', full: { value: 810 } },
  });
});

test('ignores a metric without data on the last day', async () => {
  const old = noons('servers.cpu', () => 95).slice(0, 5);
  const { verdict, wall, unknown } = await ask([...old, ...noons('servers.memory', () => 20)]);
  expect({ verdict, wall }).toEqual({ verdict: 'stay', wall: null });
  expect(unknown).toContain('CPU of the servers (servers): no data');
});

test('sorts reached limits by time beyond the threshold, then by tier', async () => {
  const hours = (metric: string, busy: number) =>
    Array.from({ length: 24 }, (_, hour) => `${hour * 3600},${metric},${hour < busy ? 95 : 20}`);
  const longer = await ask([...hours('database.cpu', 4), ...hours('servers.cpu', 20)]);
  expect(longer.wall.wall).toBe('servers.cpu');
  const equal = await ask([...hours('servers.cpu', 20), ...hours('database.cpu', 20)]);
  expect(equal.wall.wall).toBe('database.cpu');
});

test('takes the median distance of data points as the period', async () => {
  const times = [0, 300, 600, 900, 7200, 7500, 86_000];
  const { window } = await ask(times.map((at) => `${at},servers.cpu,20`));
  expect(window).toMatchObject({ period: 300, end: new Date(86_300_000).toISOString() });
});

test('checks response times against an objective, and reports a missing objective', async () => {
  const lines = [...noons('balancer.latency', () => 0.4), ...noons('balancer.unhealthy', () => 0)];
  const notChecked = 'response time of the app, p99 (balancer): no objective set: pass --latency-objective <ms>';
  expect(await ask(lines)).toMatchObject({ verdict: 'stay', symptoms: [], unknown: [], notJudged: [notChecked] });
  expect(await ask(lines, { latencyObjective: 400 })).toMatchObject({ verdict: 'stay', symptoms: [], notJudged: [] });
  expect(await ask(lines, { latencyObjective: 399 })).toMatchObject({
    verdict: 'stay',
    symptoms: [{ wall: 'balancer.latency', lastDay: 0.4, full: { value: 0.399, source: '--latency-objective' } }],
    notJudged: [],
  });
});

test('reports an objective without effect', async () => {
  const box = noons('box.cpu', () => 20);
  expect((await ask(box, { phase: 1, latencyObjective: 500 })).notJudged).toEqual([
    '--latency-objective 500: phases 1 and 2 have no load balancer to measure response times',
  ]);
  expect(
    (
      await ask(
        noons('balancer.unhealthy', () => 0),
        { latencyObjective: 500 },
      )
    ).notJudged,
  ).toEqual(['--latency-objective 500: the load balancer has published no response times']);
  expect((await ask(box, { phase: 1 })).notJudged).toEqual([]);
});

test.each<[string, string | undefined, string, number]>([
  ['with two vCPUs has a limit for CPU, 90% of one core', 'cache.t4g.small', 'cache.cpu', 45],
  ['with four vCPUs has a limit for engine CPU', 'cache.m7g.xlarge', 'cache.engine', 90],
  ['of unknown size has a limit for engine CPU', undefined, 'cache.engine', 90],
])('a cache node %s', async (_, cacheType, wall, full) => {
  const other = wall === 'cache.cpu' ? 'cache.engine' : 'cache.cpu';
  const levels = (busy: number) => [...noons(wall, () => busy), ...noons(other, () => 99)];
  expect(await ask(levels(full + 1), { cacheType })).toMatchObject({
    verdict: 'act',
    wall: { wall, full: { value: full } },
  });
  expect(await ask(levels(full), { cacheType })).toMatchObject({ verdict: 'stay' });
  const { unknown } = await ask(
    noons('cache.memory', () => 10),
    { cacheType },
  );
  expect(unknown.filter((line: string) => /^(CPU|engine)/.test(line))).toHaveLength(1);
});

test.each([
  ['servers.credits', 12],
  ['database.credits', 12],
  ['database.burst', 15],
  ['volume.burst@vol-1', 15],
])('%s: spent credits are a limit, and resources without credits are not reported', async (metric, level) => {
  const [tier = '', wall] = [metric.split('.')[0], metric.split('@')[0]];
  expect(await ask(noons(metric, () => level))).toMatchObject({ verdict: 'act', wall: { wall, remedy: {} } });
  expect((await ask(noons(metric, () => 90))).verdict).toBe('stay');
  const { unknown } = await ask([...noons('servers.cpu', () => 20), ...noons('database.cpu', () => 20)]);
  expect(unknown.filter((line: string) => line.startsWith(tier) && /credits|burst/.test(line))).toEqual([]);
});

test.each<[string, readonly string[], Partial<AdviseOptions>]>([
  ['--from needs --phase (1, 2, 3, 4 or 5): a file of metrics does not contain it.', [], { phase: undefined }],
  ['--from must be a CSV file with lines below the header time,metric,value, got ', [], {}],
  ['time must be ISO 8601 or Unix seconds, got "noon" in line 2 of', ['noon,servers.cpu,1'], {}],
  ['or any of them with @name, got "servers.heat" in line 2 of', ['0,servers.heat,1'], {}],
  ['value must be a number, got "many" in line 3 of', ['0,servers.cpu,1', '60,servers.cpu,many'], {}],
  [': Invalid Record Length', ['0,servers.cpu,1,2'], {}],
  [
    '--database-class must be a type of tools/planner/prices/data/machines.csv, got db.huge.',
    ['0,servers.cpu,1'],
    { databaseClass: 'db.huge' },
  ],
  ['--from must be an existing CSV file with time,metric,value, got nowhere.csv.', [], { from: 'nowhere.csv' }],
])('rejects invalid input: %s', async (message, lines, more) => {
  const refused = ask(lines, more);
  await expect(refused).rejects.toThrow(message);
  await expect(refused).rejects.toBeInstanceOf(UsageError);
});
